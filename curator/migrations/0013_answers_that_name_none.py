"""An answer that names no option, or no number where the key is one, is none: traces are read again."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("curator", "0012_ids_of_other_files")]

    operations = [
        # Before the next draw they are read, as after every change of the patterns.
        migrations.RunSQL("update curator_trace set flaws = null where flaws is not null", migrations.RunSQL.noop),
    ]
