"""Words of questions are written anew: from now on they say whose project they are of."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("curator", "0007_queues")]

    operations = [
        # Until the background has written them again, questions are searched by their texts.
        migrations.RunSQL("truncate curator_questionwords", migrations.RunSQL.noop),
    ]
