"""The API's description in OpenAPI, and the page that shows it."""

from __future__ import annotations

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Schema(SpectacularAPIView):
    """JSON, or YAML for a client that asks for it."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files; its script has an address of its own, so the strict CSP holds."""

    template_name = "inquiries/api_docs.html"
    url_name = "api_schema"
