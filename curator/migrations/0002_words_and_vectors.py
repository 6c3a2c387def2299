"""What the next tables stand on: vectors, and a question's words as PostgreSQL searches them."""

from django.db import migrations
from pgvector.django import VectorExtension

# A CJK character is a word of its own here; a query of several asks for all of them and then compares the
# text, which finds words of any length without a dictionary. Other words are folded as English ones are.
CREATE = r"""
create function question_words(words text) returns tsvector
language sql immutable parallel safe strict as $$
  select to_tsvector('english'::regconfig,
    case when words ~ '[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]'
      then regexp_replace(
        words, '([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af])', ' \1 ', 'g')
      else words end)
$$
"""


class Migration(migrations.Migration):
    dependencies = [("curator", "0001_initial")]

    operations = [
        VectorExtension(),
        migrations.RunSQL(CREATE, "drop function question_words(text)"),
    ]
