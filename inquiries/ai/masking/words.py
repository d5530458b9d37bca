"""Words that decide about names and streets, as data: folded (no accents, small letters) and sorted. Pure."""

from __future__ import annotations

import unicodedata

from inquiries.ai.text import word_set

NAME_PARTICLES = word_set("da das de del der di do don dona dos e el la las los mac san van von y")
NAME_TITLES = word_set(
    "abogada abogado arq arquitecta arquitecto contador contadora cp cpc doctor doctora dr dra ing ingeniera ingeniero "
    "lic licenciada licenciado prof profesor profesora publica publico sr sra srta"
)

# Parts of names that are also everyday words; written small they are taken for the word.
EVERYDAY_NAMES = word_set(
    "abad abril alba alegre alma amada amado amor amparo angel angeles arena arenas arroyo asuncion aurora azul "
    "barba barrera barrio barrios bella bello bienvenido blanca blanco bolsa bosque bravo buena bueno caballero "
    "cabello cabeza cabo cadena calle calvo camara camino campo campos candela cano caridad carpintero carrera "
    "carretero casa casado casas castillo celeste cerezo cerro cesta chico cielo clara claro cobo color conde "
    "consuelo cordero corona corral corrales correa cortes cortez costa crespo cristal cruz cuenca cuesta cueva "
    "cuevas delgado delicia dolores domingo dulce duque duro encarnacion enero escudero espada espejo esperanza "
    "espinosa estrella fe feliz fiel flor flores fortuna franco frio fuente fuentes gallego gallo garza gato gloria "
    "gracia gracias gris guapo guardia guerra guerrero hermosa hermoso herrera herrero hierro hoyos huerta iglesia "
    "iglesias inmaculada izquierdo jardin jazmin jesus jordan julio justa justo lago laguna lanza largo leal leon "
    "libertad linda lindo llano llanos lobo luna luz machado madera maestre malo manso manzana manzano mar marco "
    "marcos margarita marin marina mariscal martes marzo maximo mayo mayor melon menor mercado mercedes merino mesa "
    "milagro milagros milagrosa misericordia modesto molina molinero molino monje montana monte montes mora morado "
    "moral moreno moro muro naranja naranjo negro nieto nieve nieves noble noche nogal nuevo oliva olivo olivos "
    "olmo oro oveja pacifico palacio palacios palma paloma palomino pan pardo parra pastor paz pelado pena peral "
    "perla pescador piedad piedra pilar pinar pino pinto plata plaza polo pozo prado precioso presa primavera primo "
    "prudencia puente puerta puerto quinta quintana ramo ramos real redondo regalado reina remedios rey reyes "
    "ribera rico rincon rio rios rivera roble robles roca rocio rojas rojo roma romero rosa rosado rosal rosario "
    "rosas rubia rubio rueda sal sala salas salinas salud salvador salvaje santa santo santos sastre seco segundo "
    "segura seguro serena serrano sierra silvestre socorro sol soldado soledad suelo tejada tierra toro torre "
    "torres trigo trinidad triunfo vaca valiente valle valles vaquero vara vega vela velas ventura vera verano "
    "verde verdugo vicario victoria viernes villa violeta virtudes vivo zapatero zarza"
)

# What people type into a field for their name, or call themselves, that is no name.
NO_NAMES = word_set(
    "admin administracion amigo anonima anonimo apellido area asesor asociacion atencion atentamente ayuda buenas "
    "buenos cia clienta cliente comercial compania compra comprador compras constructora consulta consumidor "
    "contacto cooperativa cordial cordiales correo departamento despacho dias director directora duena dueno email "
    "empresa encargada encargado equipo fan fundacion gerencia gerente gold gracias grupo hola inversiones invitado "
    "mensaje noches nombre nueva nuevo oro pedido persona premium prime prueba reclamo representante saludo saludos "
    "senor senora servicio socia sociedad socio soporte tardes test tienda titular usuaria usuario vendedor "
    "vendedora ventas vip"
)

# Words that follow a name, or stand where one is expected, and cannot be one.
NEVER_IN_NAMES = word_set(
    "a al algo alguien alla alli aparece aqui ayer bien cada como compre compro con contacto cuando de del desde "
    "dos el ella ellos en entre era es esa escribo ese esta estaba este esto estoy figura fue hace hasta hice hoy "
    "incorrecto la las lo los luego mal manana me mi mucho muy nadie necesito ni no nos o otra otro para pedi pero "
    "por porque puede que quedo quiero quisiera recibi sale se ser si sigue sin sobre solo soy su tal tambien "
    "tampoco tarde te tengo tiene toda todo tu un una unas uno unos usted varias varios vivo y ya yo"
)

STREET_PARTICLES = word_set("da das de del do dos e el la las los san santa santo y")

# Words that make "calle", "paseo" or "plaza" an ordinary noun when they stand before the number.
NEVER_IN_STREETS = word_set(
    "a antes ayer cada casi cerrada como con cortada cuando dejaron dentro desde despues durante en entre era "
    "espere esta estan estuve fue hace hasta hay hoy le llego lleva llevamos llevo lo mas me menos modelo nos o "
    "orden para pasaron pedido pero por porque que se sin sobre solo son talla tardo te tenemos tengo tras unas "
    "unos vi y"
)


def fold(word: str) -> str:
    """Return `word` without accents and case; "ñ" becomes "n"."""
    decomposed = unicodedata.normalize("NFD", word.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
