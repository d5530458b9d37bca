"""The columns whose values moved to the versions of the instructions."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("inquiries", "0003_first_prompt")]

    operations = [
        migrations.RemoveField(
            model_name='sitesettings',
            name='ai_enabled',
        ),
        migrations.RemoveField(
            model_name='sitesettings',
            name='company_facts',
        ),
        migrations.RemoveField(
            model_name='sitesettings',
            name='reply_signature',
        ),
        migrations.RemoveField(
            model_name='sitesettings',
            name='tone',
        ),
    ]
