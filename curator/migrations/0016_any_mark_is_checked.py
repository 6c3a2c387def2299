"""An expert's check is of an answer, whoever marked it: rules too, not an assistant alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

VERDICTS = ["right", "partly", "wrong", "unparsed", "unkeyed"]
WORDS = ["right", "partly right", "wrong", "no answer found", "no key"]

TO_ANSWERS = """
    UPDATE curator_spotcheck made
    SET trace_id = grade.trace_id, attempt_id = grade.attempt_id, project_id = grading.project_id,
        marked = CASE WHEN grade.is_right THEN 'right' ELSE 'wrong' END,
        rule = left('assistant ' || assistant.name, 60)
    FROM curator_grade grade
    JOIN curator_grading grading ON grading.id = grade.grading_id
    JOIN curator_assistant assistant ON assistant.id = grading.assistant_id
    WHERE grade.id = made.grade_id;
    SET CONSTRAINTS ALL IMMEDIATE
"""
TO_GRADES = """
    UPDATE curator_spotcheck made SET grade_id = grade.id FROM curator_grade grade
    WHERE grade.trace_id = made.trace_id OR grade.attempt_id = made.attempt_id;
    DELETE FROM curator_spotcheck WHERE grade_id IS NULL;
    SET CONSTRAINTS ALL IMMEDIATE
"""


def _answer(kind: str) -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="spot_checks",
        to=f"curator.{kind}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0003_api_tokens"),
        ("curator", "0015_refused_is_remembered"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            "spotcheck",
            "grade",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="spot_checks",
                to="curator.grade",
            ),
        ),
        migrations.AddField("spotcheck", "trace", _answer("trace")),
        migrations.AddField("spotcheck", "attempt", _answer("attempt")),
        migrations.AddField(
            "spotcheck",
            "project",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="spot_checks",
                to="common.project",
            ),
        ),
        migrations.AddField(
            "spotcheck",
            "marked",
            models.CharField(
                choices=list(zip(VERDICTS, WORDS, strict=True)), default="unkeyed", max_length=8
            ),
            preserve_default=False,
        ),
        migrations.AddField("spotcheck", "rule", models.CharField(blank=True, max_length=60)),
        migrations.AddField("spotcheck", "is_blind", models.BooleanField(default=True)),
        migrations.RunSQL(TO_ANSWERS, TO_GRADES),
        migrations.AlterField(
            "spotcheck",
            "project",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="spot_checks",
                to="common.project",
            ),
        ),
        migrations.RemoveConstraint("spotcheck", "spot_check_once_per_expert"),
        migrations.RemoveField("spotcheck", "grade"),
        migrations.AddConstraint(
            "spotcheck",
            models.CheckConstraint(
                condition=Q(trace__isnull=True) ^ Q(attempt__isnull=True), name="spot_check_of_one_answer"
            ),
        ),
        migrations.AddConstraint(
            "spotcheck",
            models.CheckConstraint(condition=Q(marked__in=VERDICTS), name="spot_check_marked_known"),
        ),
        migrations.AddConstraint(
            "spotcheck",
            models.UniqueConstraint(fields=("trace", "expert"), name="spot_check_of_trace_once"),
        ),
        migrations.AddConstraint(
            "spotcheck",
            models.UniqueConstraint(fields=("attempt", "expert"), name="spot_check_of_attempt_once"),
        ),
    ]
