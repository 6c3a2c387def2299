"""The index knows every word, "the" and "of" too: a search for one is answered without reading the texts."""

from django.db import migrations

# English as PostgreSQL brings it, but no word is left out for being frequent.
CREATE = r"""
create text search dictionary question_stem (template = snowball, language = english);
create text search configuration question_words (copy = pg_catalog.english);
alter text search configuration question_words alter mapping replace english_stem with question_stem;

create or replace function question_words(words text) returns tsvector
language sql immutable parallel safe strict as $$
  select to_tsvector('question_words'::regconfig,
    case when words ~ '[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]'
      then regexp_replace(
        words, '([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af])', ' \1 ', 'g')
      else words end)
$$;
"""
DROP = r"""
create or replace function question_words(words text) returns tsvector
language sql immutable parallel safe strict as $$
  select to_tsvector('english'::regconfig,
    case when words ~ '[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]'
      then regexp_replace(
        words, '([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af])', ' \1 ', 'g')
      else words end)
$$;
drop text search configuration question_words;
drop text search dictionary question_stem;
"""


class Migration(migrations.Migration):

    dependencies = [("curator", "0010_flaws_are_read_anew")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        # Until the background has written them again, questions are searched by their texts.
        migrations.RunSQL("truncate curator_questionwords", migrations.RunSQL.noop),
    ]
