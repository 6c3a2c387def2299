"""Refusals, figures and broken ends are known in more forms: what was read of questions and traces is read again."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("curator", "0009_edits_keep_labels")]

    operations = [
        # Before the next draw they are read, as after every change of the patterns.
        migrations.RunSQL("update curator_question set flaws = null where flaws is not null", migrations.RunSQL.noop),
        migrations.RunSQL("update curator_trace set flaws = null where flaws is not null", migrations.RunSQL.noop),
    ]
