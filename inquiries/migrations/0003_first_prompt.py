"""What the settings told the AI becomes the first version of its instructions; the switch gets a third position."""

from django.db import migrations
from django.db.models.functions import Now


def carry_over(apps, schema_editor):
    Settings = apps.get_model("inquiries", "SiteSettings")
    Prompt = apps.get_model("inquiries", "PromptVersion")
    Settings.objects.filter(ai_enabled=False).update(ai_mode="off")
    # 0.3 was the default for uncalibrated figures; whoever chose another value keeps it.
    Settings.objects.filter(review_threshold=0.3).update(review_threshold=0.5)
    site = Settings.objects.first()
    told = {"facts": site.company_facts, "tone": site.tone, "signature": site.reply_signature} if site else {}
    Prompt.objects.create(**told, is_active=True, activated_at=Now())


def carry_back(apps, schema_editor):
    Settings = apps.get_model("inquiries", "SiteSettings")
    # The release before knows on and off alone, and "embedded" promised that nothing leaves the machine.
    Settings.objects.filter(ai_mode__in=["off", "embedded"]).update(ai_enabled=False)
    prompt = apps.get_model("inquiries", "PromptVersion").objects.filter(is_active=True).first()
    if prompt:
        Settings.objects.update(company_facts=prompt.facts, tone=prompt.tone, reply_signature=prompt.signature)
        # The way forward makes a version of whatever the settings say by then, and only one may be in use.
        prompt.is_active = False
        prompt.save(update_fields=["is_active"])


class Migration(migrations.Migration):
    dependencies = [("inquiries", "0002_learning")]

    operations = [migrations.RunPython(carry_over, carry_back)]
