"""Emails to customers, the undo window of an answer, follow-ups, the daily cap, the pause of the analysis."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inquiries", "0004_prompt_fields_moved"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), null=True, verbose_name="due"
                    ),
                ),
                ("claim_token", models.UUIDField(editable=False, null=True)),
                ("worker", models.CharField(blank=True, max_length=80, verbose_name="worker")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("crashes", models.PositiveSmallIntegerField(default=0, verbose_name="crashes")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created"),
                ),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("error_detail", models.CharField(blank=True, max_length=500, verbose_name="detail")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("unknown", "Not known whether it arrived"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "error",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unreachable", "The mail server cannot be reached."),
                            ("timeout", "The mail server took too long to answer."),
                            ("authentication", "The mail server refuses the user or the password."),
                            ("temporary", "The mail server could not take it for now."),
                            ("rejected", "The mail server refused the message."),
                            ("bad_address", "The mail server refused the customer's address."),
                            ("dropped", "The connection broke while the message was handed over."),
                            ("crashed", "The sending stopped while the message was handed over."),
                            ("not_configured", "No mail server is set up."),
                            ("internal", "The sending failed unexpectedly."),
                            ("undone", "A person has undone the sending."),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("answer", "Answer"), ("receipt", "Receipt")], max_length=10, verbose_name="kind"
                    ),
                ),
                ("recipient", models.EmailField(max_length=254, verbose_name="to")),
                ("mail_id", models.CharField(max_length=200, unique=True, verbose_name="Message-ID")),
                ("handed_at", models.DateTimeField(null=True, verbose_name="handed over")),
            ],
            options={
                "verbose_name": "email",
                "verbose_name_plural": "emails",
            },
        ),
        migrations.CreateModel(
            name="ReceiptPause",
            fields=[
                ("address_key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("until", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
        ),
        migrations.AddField(
            model_name="inquiry",
            name="followed_up_at",
            field=models.DateTimeField(null=True, verbose_name="wrote again"),
        ),
        migrations.AddField(
            model_name="message",
            name="published_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="published"),
        ),
        migrations.AddField(
            model_name="sitesettings",
            name="daily_public_inquiries",
            field=models.PositiveIntegerField(
                blank=True,
                default=2000,
                help_text="From the public form and API calls without a key. Later ones wait for a person. Empty: no limit.",
                null=True,
                verbose_name="public inquiries a day that the AI service reads",
            ),
        ),
        migrations.AddField(
            model_name="sitesettings",
            name="is_analysis_paused",
            field=models.BooleanField(default=False, verbose_name="analysis paused"),
        ),
        migrations.AddField(
            model_name="sitesettings",
            name="send_receipts",
            field=models.BooleanField(
                default=True,
                help_text="An email with the number and the link, at most one per address and hour, where mail is set up.",
                verbose_name="send receipts",
            ),
        ),
        migrations.AlterField(
            model_name="analysis",
            name="error",
            field=models.CharField(
                blank=True,
                choices=[
                    ("rate_limited", "The AI service is busy (too many requests)."),
                    ("quota", "The AI account has no credit left."),
                    ("timeout", "The AI service took too long to answer."),
                    ("unreachable", "The AI service cannot be reached."),
                    ("server_error", "The AI service has an internal error."),
                    ("authentication", "The AI service refuses the key."),
                    ("model_not_found", "The AI service does not know the model."),
                    ("bad_request", "The AI service refused the request."),
                    ("bad_answer", "The AI's answer could not be read."),
                    ("unknown_category", "The AI named a category that does not exist."),
                    ("truncated", "The AI's answer was cut off."),
                    ("refused", "The AI declined to answer this message."),
                    ("content_filter", "The AI service's content filter blocked this message."),
                    ("no_categories", "There is no active category."),
                    ("not_configured", "No AI engine is set up."),
                    ("internal", "The analysis failed unexpectedly."),
                    ("crashed", "The analysis stopped several times without finishing."),
                    ("disabled", "The AI is switched off."),
                    ("budget", "The budget of the AI service is used up."),
                    ("paused", "The AI service is paused after repeated failures."),
                    ("cancelled", "A person has cancelled it."),
                    ("overtaken", "A person has worked on the inquiry meanwhile."),
                    ("spam", "Spam is not analysed."),
                    ("daily_cap", "More inquiries came today than the AI may read."),
                    ("dismissed", "A person has set the failed analysis aside."),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="inquiry",
            name="ai_error",
            field=models.CharField(
                blank=True,
                choices=[
                    ("rate_limited", "The AI service is busy (too many requests)."),
                    ("quota", "The AI account has no credit left."),
                    ("timeout", "The AI service took too long to answer."),
                    ("unreachable", "The AI service cannot be reached."),
                    ("server_error", "The AI service has an internal error."),
                    ("authentication", "The AI service refuses the key."),
                    ("model_not_found", "The AI service does not know the model."),
                    ("bad_request", "The AI service refused the request."),
                    ("bad_answer", "The AI's answer could not be read."),
                    ("unknown_category", "The AI named a category that does not exist."),
                    ("truncated", "The AI's answer was cut off."),
                    ("refused", "The AI declined to answer this message."),
                    ("content_filter", "The AI service's content filter blocked this message."),
                    ("no_categories", "There is no active category."),
                    ("not_configured", "No AI engine is set up."),
                    ("internal", "The analysis failed unexpectedly."),
                    ("crashed", "The analysis stopped several times without finishing."),
                    ("disabled", "The AI is switched off."),
                    ("budget", "The budget of the AI service is used up."),
                    ("paused", "The AI service is paused after repeated failures."),
                    ("cancelled", "A person has cancelled it."),
                    ("overtaken", "A person has worked on the inquiry meanwhile."),
                    ("spam", "Spam is not analysed."),
                    ("daily_cap", "More inquiries came today than the AI may read."),
                    ("dismissed", "A person has set the failed analysis aside."),
                ],
                max_length=20,
                verbose_name="AI reason",
            ),
        ),
        migrations.AlterField(
            model_name="inquiryevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("status", "Status changed"),
                    ("category", "Category corrected"),
                    ("sentiment", "Sentiment corrected"),
                    ("confirmed", "AI's value confirmed"),
                    ("undone", "Correction undone"),
                    ("reply", "Reply edited"),
                    ("draft", "Back to the AI's draft"),
                    ("published", "Answer sent"),
                    ("withdrawn", "Sending undone"),
                    ("follow-up", "The customer wrote again"),
                    ("retried", "Analysis asked for again"),
                    ("dismissed", "Failed analysis set aside"),
                    ("resent", "Email sent again"),
                    ("arrived", "Email marked as arrived"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="analysis",
            index=models.Index(condition=models.Q(("state", "done")), fields=["-finished_at"], name="analysis_done"),
        ),
        migrations.AddField(
            model_name="delivery",
            name="inquiry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="inquiries.inquiry"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="message",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="delivery",
                to="inquiries.message",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="delivery_due"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["inquiry", "-id"], name="delivery_of_inquiry"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["failed", "unknown"])), fields=["-id"], name="delivery_troubled"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)), fields=["-finished_at"], name="delivery_finished"
            ),
        ),
    ]
