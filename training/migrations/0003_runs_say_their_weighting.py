"""Runs of before weighed every token the same; their recipes say so now, for one may go on."""

from django.db import migrations

SAY = """
update training_run set recipe = recipe || '{"loss_weighting": "token"}'::jsonb
where not recipe ? 'loss_weighting'
"""


class Migration(migrations.Migration):

    dependencies = [("training", "0002_teachers_and_pauses")]

    operations = [migrations.RunSQL(SAY, migrations.RunSQL.noop)]
