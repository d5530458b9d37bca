"""Answers of before were published when they were written."""

from django.db import migrations
from django.db.models import F


def carry_over(apps, schema_editor):
    apps.get_model("inquiries", "Message").objects.update(published_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("inquiries", "0005_delivery")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
