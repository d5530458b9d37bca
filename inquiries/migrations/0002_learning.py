"""Tables and columns of learning, privacy, instructions, comparisons and budget."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inquiries', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Calibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('engine', models.CharField(max_length=20)),
                ('model', models.CharField(blank=True, max_length=80)),
                ('temperature', models.FloatField(default=1.0)),
                ('bias', models.FloatField(default=0.0)),
                ('pairs', models.PositiveIntegerField(default=0)),
                ('fitted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Comparison',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('preview', 'Preview'), ('compare', 'Comparison')], default='compare', max_length=8, verbose_name='kind')),
                ('engine', models.CharField(max_length=20, verbose_name='engine')),
                ('model', models.CharField(blank=True, max_length=80, verbose_name='model')),
                ('current_engine', models.CharField(blank=True, max_length=20, verbose_name='engine in use')),
                ('current_model', models.CharField(blank=True, max_length=80, verbose_name='model in use')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
                ('cancelled_at', models.DateTimeField(null=True, verbose_name='cancelled')),
            ],
            options={
                'verbose_name': 'comparison',
                'verbose_name_plural': 'comparisons',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Example',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sentiment', models.CharField(blank=True, max_length=8)),
                ('text', models.TextField()),
                ('answer', models.TextField(blank=True)),
                ('is_corrected', models.BooleanField(default=False)),
                ('is_sentiment_corrected', models.BooleanField(default=False)),
                ('encoder', models.CharField(max_length=20)),
                ('vector', models.BinaryField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='HeadVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(db_index=True, max_length=64)),
                ('encoder', models.CharField(max_length=40, verbose_name='encoder')),
                ('data', models.BinaryField()),
                ('examples', models.PositiveIntegerField(default=0, verbose_name='examples')),
                ('labels', models.PositiveIntegerField(default=0, verbose_name='human labels')),
                ('temperature', models.FloatField(null=True, verbose_name='temperature')),
                ('ece', models.FloatField(null=True, verbose_name='calibration error')),
                ('seconds', models.FloatField(default=0.0, verbose_name='seconds of training')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
            ],
            options={
                'verbose_name': 'trained version',
                'verbose_name_plural': 'trained versions',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='InquiryVector',
            fields=[
                ('inquiry', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='vector', serialize=False, to='inquiries.inquiry')),
                ('encoder', models.CharField(max_length=20)),
                ('vector', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('holder', models.CharField(blank=True, max_length=80)),
                ('until', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Outcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('engine', models.CharField(blank=True, max_length=20, verbose_name='engine')),
                ('model', models.CharField(blank=True, max_length=80, verbose_name='model')),
                ('prompt_version', models.CharField(blank=True, max_length=40, verbose_name='prompt version')),
                ('ai_category', models.CharField(blank=True, max_length=60, verbose_name="AI's category")),
                ('category', models.CharField(blank=True, max_length=60, verbose_name='category')),
                ('category_touched', models.BooleanField(default=False, verbose_name='category set by a person')),
                ('ai_sentiment', models.CharField(blank=True, choices=[('Positivo', 'Positive'), ('Neutral', 'Neutral'), ('Negativo', 'Negative')], max_length=8, verbose_name="AI's sentiment")),
                ('sentiment', models.CharField(blank=True, choices=[('Positivo', 'Positive'), ('Neutral', 'Neutral'), ('Negativo', 'Negative')], max_length=8, verbose_name='sentiment')),
                ('sentiment_touched', models.BooleanField(default=False, verbose_name='sentiment set by a person')),
                ('claimed_confidence', models.FloatField(null=True, verbose_name='claimed confidence')),
                ('confidence', models.FloatField(null=True, verbose_name='confidence')),
                ('draft_use', models.CharField(choices=[('unchanged', 'Sent unchanged'), ('edited', 'Edited'), ('discarded', 'Thrown away'), ('none', 'No draft')], max_length=10, verbose_name='use of the draft')),
                ('edit_distance', models.FloatField(null=True, verbose_name='edit distance')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
            ],
            options={
                'verbose_name': 'outcome',
                'verbose_name_plural': 'outcomes',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PromptVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('note', models.CharField(blank=True, max_length=120, verbose_name='what changed')),
                ('facts', models.TextField(blank=True, help_text='What a reply may state: opening hours, addresses, links, policies.', max_length=4000, verbose_name='company facts')),
                ('tone', models.CharField(choices=[('usted', 'usted'), ('tu', 'tú'), ('vos', 'vos')], default='usted', max_length=8, verbose_name='form of address')),
                ('style', models.CharField(blank=True, help_text='In your own words: warm and short, formal, without exclamation marks …', max_length=300, verbose_name='tone of voice')),
                ('signature', models.TextField(blank=True, max_length=500, verbose_name='signature of replies')),
                ('forbidden', models.TextField(blank=True, help_text='One on each line, such as “full refund”. The AI is told never to write it; a draft that does is marked.', max_length=2000, verbose_name='forbidden promises')),
                ('is_active', models.BooleanField(default=False, editable=False, verbose_name='in use')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
                ('activated_at', models.DateTimeField(editable=False, null=True, verbose_name='in use since')),
            ],
            options={
                'verbose_name': 'version of the instructions',
                'verbose_name_plural': 'versions of the instructions',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SentPrompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('text', models.TextField(verbose_name='instructions sent')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='ServiceState',
            fields=[
                ('name', models.CharField(max_length=20, primary_key=True, serialize=False)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('open_until', models.DateTimeField(null=True)),
                ('last_error', models.CharField(blank=True, max_length=20)),
                ('last_detail', models.CharField(blank=True, max_length=500)),
                ('last_failure_at', models.DateTimeField(null=True)),
                ('last_success_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('engine', models.CharField(max_length=20, verbose_name='engine')),
                ('model', models.CharField(blank=True, max_length=80, verbose_name='model')),
                ('calls', models.PositiveIntegerField(default=0, verbose_name='analyses')),
                ('tokens_in', models.PositiveBigIntegerField(default=0, verbose_name='tokens in')),
                ('tokens_out', models.PositiveBigIntegerField(default=0, verbose_name='tokens out')),
                ('cost', models.DecimalField(decimal_places=6, default=0, max_digits=14, verbose_name='cost')),
                ('milliseconds', models.PositiveBigIntegerField(default=0, verbose_name='milliseconds')),
            ],
        ),
        migrations.AddField(
            model_name='analysis',
            name='abstained',
            field=models.BooleanField(default=False, verbose_name='abstained'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='claimed_confidence',
            field=models.FloatField(null=True, verbose_name='claimed confidence'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='flags',
            field=models.JSONField(blank=True, default=list, verbose_name='warnings'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='is_candidate',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='analysis',
            name='masked',
            field=models.JSONField(blank=True, default=dict, verbose_name='hidden data'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='shown_examples',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='examples shown'),
        ),
        migrations.AddField(
            model_name='inquiry',
            name='flags',
            field=models.JSONField(blank=True, default=list, verbose_name='warnings'),
        ),
        migrations.AddField(
            model_name='inquiry',
            name='to_learn',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='ai_mode',
            field=models.CharField(choices=[('auto', 'Automatic'), ('embedded', 'Embedded engine only'), ('off', 'Off')], default='auto', help_text='Automatic: the AI service where one is set up, else the embedded engine.', max_length=10, verbose_name='AI'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='daily_cost',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='money a day'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='daily_tokens',
            field=models.PositiveBigIntegerField(blank=True, help_text='Past a limit the embedded engine goes on until the next day or month. Empty: no limit.', null=True, verbose_name='tokens a day'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='few_shot',
            field=models.BooleanField(default=True, help_text='The AI service is shown the most similar corrected and answered inquiries, without personal data.', verbose_name='learn from answered inquiries'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='few_shot_tokens',
            field=models.PositiveIntegerField(default=1200, help_text='At most this many for each inquiry, about four letters each.', validators=[django.core.validators.MaxValueValidator(20000)], verbose_name='tokens for these examples'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='masking',
            field=models.BooleanField(default=True, help_text='Names, addresses and numbers of customers are replaced by marks before a text leaves this machine.', verbose_name='hide personal data'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='monthly_cost',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='money a month'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='retention_days',
            field=models.PositiveIntegerField(blank=True, help_text='Counted from the last change. Empty: they are kept. “manage.py retention --dry-run” shows what would go.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='erase answered and closed inquiries after days'),
        ),
        migrations.AddField(
            model_name='sitesettings',
            name='spam_retention_days',
            field=models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='erase spam after days'),
        ),
        migrations.AlterField(
            model_name='analysis',
            name='error',
            field=models.CharField(blank=True, choices=[('rate_limited', 'The AI service is busy (too many requests).'), ('quota', 'The AI account has no credit left.'), ('timeout', 'The AI service took too long to answer.'), ('unreachable', 'The AI service cannot be reached.'), ('server_error', 'The AI service has an internal error.'), ('authentication', 'The AI service refuses the key.'), ('model_not_found', 'The AI service does not know the model.'), ('bad_request', 'The AI service refused the request.'), ('bad_answer', "The AI's answer could not be read."), ('unknown_category', 'The AI named a category that does not exist.'), ('truncated', "The AI's answer was cut off."), ('refused', 'The AI declined to answer this message.'), ('content_filter', "The AI service's content filter blocked this message."), ('no_categories', 'There is no active category.'), ('not_configured', 'No AI engine is set up.'), ('internal', 'The analysis failed unexpectedly.'), ('crashed', 'The analysis stopped several times without finishing.'), ('disabled', 'The AI is switched off.'), ('budget', 'The budget of the AI service is used up.'), ('paused', 'The AI service is paused after repeated failures.'), ('cancelled', 'A person has cancelled it.'), ('overtaken', 'A person has worked on the inquiry meanwhile.'), ('spam', 'Spam is not analysed.')], max_length=20, verbose_name='reason'),
        ),
        migrations.AlterField(
            model_name='inquiry',
            name='ai_error',
            field=models.CharField(blank=True, choices=[('rate_limited', 'The AI service is busy (too many requests).'), ('quota', 'The AI account has no credit left.'), ('timeout', 'The AI service took too long to answer.'), ('unreachable', 'The AI service cannot be reached.'), ('server_error', 'The AI service has an internal error.'), ('authentication', 'The AI service refuses the key.'), ('model_not_found', 'The AI service does not know the model.'), ('bad_request', 'The AI service refused the request.'), ('bad_answer', "The AI's answer could not be read."), ('unknown_category', 'The AI named a category that does not exist.'), ('truncated', "The AI's answer was cut off."), ('refused', 'The AI declined to answer this message.'), ('content_filter', "The AI service's content filter blocked this message."), ('no_categories', 'There is no active category.'), ('not_configured', 'No AI engine is set up.'), ('internal', 'The analysis failed unexpectedly.'), ('crashed', 'The analysis stopped several times without finishing.'), ('disabled', 'The AI is switched off.'), ('budget', 'The budget of the AI service is used up.'), ('paused', 'The AI service is paused after repeated failures.'), ('cancelled', 'A person has cancelled it.'), ('overtaken', 'A person has worked on the inquiry meanwhile.'), ('spam', 'Spam is not analysed.')], max_length=20, verbose_name='AI reason'),
        ),
        migrations.AlterField(
            model_name='sitesettings',
            name='review_threshold',
            field=models.FloatField(default=0.5, help_text='From 0 to 1; inquiries that the AI is less sure about are marked for review.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)], verbose_name='review below this confidence'),
        ),
        migrations.AddIndex(
            model_name='inquiry',
            index=models.Index(condition=models.Q(('to_learn', True)), fields=['id'], name='inquiry_to_learn'),
        ),
        migrations.AddIndex(
            model_name='inquiry',
            index=models.Index(condition=models.Q(('category_by_person', True)), fields=['id'], name='inquiry_labelled'),
        ),
        migrations.AddIndex(
            model_name='inquiry',
            index=models.Index(django.db.models.functions.text.Upper('email'), models.OrderBy(models.F('id'), descending=True), name='inquiry_email'),
        ),
        migrations.AddConstraint(
            model_name='calibration',
            constraint=models.UniqueConstraint(fields=('engine', 'model'), name='one_calibration'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='comparison',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='analyses', to='inquiries.comparison'),
        ),
        migrations.AddField(
            model_name='example',
            name='category',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inquiries.category'),
        ),
        migrations.AddField(
            model_name='example',
            name='inquiry',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='example', to='inquiries.inquiry'),
        ),
        migrations.AddField(
            model_name='outcome',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='outcome',
            name='analysis',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inquiries.analysis'),
        ),
        migrations.AddField(
            model_name='outcome',
            name='inquiry',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='outcomes', to='inquiries.inquiry'),
        ),
        migrations.AddField(
            model_name='promptversion',
            name='created_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='current_prompt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inquiries.promptversion', verbose_name='instructions in use'),
        ),
        migrations.AddField(
            model_name='comparison',
            name='prompt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='trials', to='inquiries.promptversion', verbose_name='instructions'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='prompt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='analyses', to='inquiries.promptversion', verbose_name='instructions'),
        ),
        migrations.AddField(
            model_name='analysis',
            name='sent_system',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inquiries.sentprompt'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(condition=models.Q(('comparison__isnull', False)), fields=['comparison', 'inquiry'], name='analysis_comparison'),
        ),
        migrations.AddConstraint(
            model_name='usage',
            constraint=models.UniqueConstraint(fields=('day', 'engine', 'model'), name='one_usage_a_day'),
        ),
        migrations.AddIndex(
            model_name='outcome',
            index=models.Index(fields=['created_at'], name='outcome_when'),
        ),
        migrations.AddConstraint(
            model_name='promptversion',
            constraint=models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('is_active',), name='one_prompt_in_use'),
        ),
    ]
