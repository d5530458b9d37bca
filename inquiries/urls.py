"""Pages of customers, agents and supervisors."""

from __future__ import annotations

from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from inquiries.views import (
    account,
    actions,
    comparisons,
    detail,
    inbox,
    monitor,
    prompts,
    public,
    quality,
    similar,
    status,
)

urlpatterns = [
    path("", public.home, name="home"),
    path("recibida/<slug:token>/", public.receipt, name="receipt"),
    path("consulta/<slug:token>/", status.status, name="status"),
    path("consulta/<slug:token>/responder/", status.follow_up, name="follow_up"),
    # Private pages send no referrer, and browsers then send "Origin: null", which the CSRF check refuses;
    # a forged change of language harms nobody.
    path("idioma/", csrf_exempt(set_language), name="set_language"),
    path("entrar/", account.SignIn.as_view(), name="login"),
    path("salir/", account.SignOut.as_view(), name="logout"),
    path("clave/", account.ChangePassword.as_view(), name="password_change"),
    path("clave/olvidada/", account.ForgottenPassword.as_view(), name="password_reset"),
    path("clave/olvidada/enviada/", account.LinkSent.as_view(), name="password_reset_done"),
    path("clave/nueva/<uidb64>/<token>/", account.NewPassword.as_view(), name="password_reset_confirm"),
    path("bandeja/", inbox.inbox, name="inbox"),
    path("bandeja/novedades/", inbox.changes, name="inbox_changes"),
    path("bandeja/<int:pk>/", detail.detail, name="detail"),
    path("bandeja/<int:pk>/novedades/", detail.changes, name="detail_changes"),
    path("bandeja/<int:pk>/similares/", similar.similar, name="similar"),
    path("bandeja/<int:pk>/partir/", similar.start_from, name="start_from"),
    path("bandeja/<int:pk>/enviado/", detail.sent, name="sent"),
    path("bandeja/<int:pk>/categoria/", actions.set_category, name="set_category"),
    path("bandeja/<int:pk>/sentimiento/", actions.set_sentiment, name="set_sentiment"),
    path("bandeja/<int:pk>/deshacer/", actions.undo, name="undo_correction"),
    path("bandeja/<int:pk>/respuesta/", actions.save_reply, name="save_reply"),
    path("bandeja/<int:pk>/borrador/", actions.use_draft, name="use_draft"),
    path("bandeja/<int:pk>/enviar/", actions.send, name="send"),
    path("bandeja/<int:pk>/no-enviar/", actions.undo_send, name="undo_send"),
    path("bandeja/<int:pk>/reenviar/", actions.resend, name="resend"),
    path("bandeja/<int:pk>/zanjar/", actions.settle, name="settle"),
    path("bandeja/<int:pk>/cerrar/", actions.close, name="close"),
    path("bandeja/<int:pk>/reabrir/", actions.reopen, name="reopen"),
    path("bandeja/<int:pk>/spam/", actions.mark_spam, name="mark_spam"),
    path("bandeja/<int:pk>/no-es-spam/", actions.unmark_spam, name="unmark_spam"),
    path("bandeja/<int:pk>/reintentar/", actions.retry, name="retry"),
    path("monitor/", monitor.monitor, name="monitor"),
    path("monitor/reintentar/", monitor.retry_failed, name="retry_failed"),
    path("monitor/omitir/", monitor.dismiss_failed, name="dismiss_failed"),
    path("monitor/pausar/", monitor.pause_analysis, name="pause_analysis"),
    path("monitor/reanudar/", monitor.resume_analysis, name="resume_analysis"),
    path("monitor/reenviar/", monitor.resend_mail, name="resend_mail"),
    path("monitor/cerrar-correo/", monitor.settle_mail, name="settle_mail"),
    path("calidad/", quality.quality, name="quality"),
    path("calidad/instrucciones/", prompts.prompts, name="prompts"),
    path("calidad/instrucciones/nueva/", prompts.prompt_new, name="prompt_new"),
    path("calidad/instrucciones/<int:pk>/", prompts.prompt, name="prompt"),
    path("calidad/instrucciones/<int:pk>/usar/", prompts.prompt_activate, name="prompt_activate"),
    path("calidad/instrucciones/<int:pk>/probar/", prompts.prompt_preview, name="prompt_preview"),
    path("calidad/comparaciones/", comparisons.comparisons, name="comparisons"),
    path("calidad/comparaciones/nueva/", comparisons.comparison_start, name="comparison_start"),
    path("calidad/comparaciones/<int:pk>/", comparisons.comparison, name="comparison"),
    path("calidad/comparaciones/<int:pk>/cancelar/", comparisons.comparison_cancel, name="comparison_cancel"),
    path("robots.txt", public.robots, name="robots"),
    path("favicon.ico", public.favicon, name="favicon"),
    path("api/", include("inquiries.api.urls")),
]
