"""What the tests of the embedded engine ask it, and about which categories."""

from __future__ import annotations

from collections.abc import Sequence

from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.engine import (
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    CompanyProfile,
)
from inquiries.ai.seeds import default_categories

DEFAULTS = tuple(category.spec for category in default_categories())
CANCEL = CategorySpec(
    name="Cancelaciones y bajas",
    description="Clientes que quieren terminar el contrato o dar de baja el servicio.",
    examples=(
        "Quiero dar de baja el servicio a partir del mes que viene",
        "¿Cómo cancelo mi suscripción?",
        "Deseo terminar el contrato de mi línea",
        "necesito anular mi membresía del gimnasio",
        "Ya no quiero seguir con ustedes, por favor cierren mi cuenta",
    ),
    keywords=("dar de baja", "cancelar", "cancelacion"),
)

FRESH = [
    ("El scanner quedó tildado y no lee ninguna hoja", "Soporte Técnico"),
    ("Puse mi usuario y me rebota siempre en la pantalla de inicio", "Soporte Técnico"),
    ("¿De qué manera vinculo un segundo celular con la app?", "Soporte Técnico"),
    ("el programa se congela cuando abro el calendario", "Soporte Técnico"),
    ("After the update I cannot open the application anymore", "Soporte Técnico"),
    ("¿Qué precio tiene la heladera de dos puertas?", "Ventas"),
    ("Pásenme un presupuesto para pintar dos oficinas", "Ventas"),
    ("Estamos interesados en contratar el plan para quince empleados", "Ventas"),
    ("¿les queda alguna promo para el día de la madre?", "Ventas"),
    ("Queremos comprar ochenta remeras estampadas, ¿hay rebaja por cantidad?", "Ventas"),
    ("Mándenme por favor la factura de enero en PDF", "Facturación"),
    ("Se cobró dos veces la cuota en mi tarjeta", "Facturación"),
    ("El recibo trae mal mi razón social", "Facturación"),
    ("aboné ayer por transferencia y todavía figura la deuda", "Facturación"),
    ("¿Hasta cuándo tengo plazo para pagar el recibo sin recargo?", "Facturación"),
    ("El ropero llegó con el espejo quebrado, quiero que lo cambien", "Reclamo"),
    ("Va un mes y el paquete que compré sigue sin aparecer, esto es una burla", "Reclamo"),
    ("El chofer le faltó el respeto a mi esposa, quiero presentar una queja", "Reclamo"),
    ("Me entregaron un vestido de otra talla y no me lo quieren cambiar", "Reclamo"),
    ("Ninguém me responde e o produto veio quebrado", "Reclamo"),
    ("¿Qué días atienden al público en la oficina de Tacna?", "Consulta General"),
    ("¿Adónde puedo mandar mi currículum?", "Consulta General"),
    ("¿Tienen playa de estacionamiento para las visitas?", "Consulta General"),
    ("a que hr cierran los viernes", "Consulta General"),
    ("¿Cuál es el teléfono de la sucursal de Trujillo?", "Consulta General"),
]

WRAPS = [
    "Hola buenas tardes! {} Gracias!!",
    "hola {} muchas gracias saludos",
    "Estimados, mi nombre es Julia Ponce, DNI 30222111.\n\n{}\n\nMuchas gracias por su tiempo.\n\nJulia Ponce\n"
    "Jefa de Compras\nTel. 11 4555 2222",
    "Muy buenos días, espero que se encuentren muy bien.\n{}\nQuedo a la espera de su respuesta y desde ya les "
    "agradezco muchísimo la atención. Un saludo cordial.\n\nEl lun, 3 mar 2025 a las 9:12, Ventas <v@x.com> "
    "escribió:\n> ¿Quiere comprar nuestros planes en promoción?",
]


def ask(engine: EmbeddedEngine, text: str, categories: Sequence[CategorySpec] = DEFAULTS) -> AnalysisResult:
    return engine.analyse(AnalysisRequest(text, "Juan Pérez", tuple(categories), CompanyProfile("Acme")))


def hits(engine: EmbeddedEngine, frame: str) -> int:
    return sum(ask(engine, frame.format(text)).category == category for text, category in FRESH)
