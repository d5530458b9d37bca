"""The wordings by which an order to the AI is told, in Spanish, Portuguese and English; all are read on folded text.

They are families, not sentences: a verb of dropping, whose rules, which rules. An imperative is taken in the
singular where customers use the plural to a desk ("ignoren", "clasifiquen"). Every gap is bounded, so that time
grows linearly with the text.
"""

from __future__ import annotations

import re

# Where an order may begin: a line, a sentence, a bracket, or a word of politeness or sequence.
_START = (
    r"(?:^|[.!?:;,(){}\[\]\"'«»“”‹›>|*#\-—¡¿]\s?|\b(?:por favor|ahora|y|e|luego|entonces|solo|pero|please|now|and"
    r"|then"
    r"|just|but|also|agora|mas|depois|entao) )"
)
_RULES = (
    r"(?:instruc\w+|instructions?|reglas?|regras?|rules?|normas?|ordenes|ordens|orders|indicaciones|orientacoes"
    r"|directri\w+|directivas|diretrizes|directives|guidelines|lineamientos|restric\w+|constraints|limitaciones"
    r"|guardrails|prompts?|filtros?|filters?|(?:safety |security )?(?:policy|policies|checks)|politicas|programming"
    r"|programacion|programacao|configuracion|configuration|training|entrenamiento|treinamento)"
)
_DROP = (
    r"(?:ignor(?:a|e|es|ad|ar|ing)|olvid(?:a|ar|e|ate|ese|es)|descart(?:a|e|es)|omit(?:e|a|as|i)|anul(?:a|e)"
    r"|desobede(?:ce|zca)|desobedeca|(?:haz|haga|hace|hagas) caso omiso|no (?:le )?(?:hagas|haga) caso|pas(?:a"
    r"|e) por alto|salt(?:a|ea)(?:te)?"
    r"|dej(?:a|e) (?:de lado|de seguir|atras)|no (?:sigas|siga|obedezcas|respetes|cumplas)|suspend(?:e|a)"
    r"|desactiv(?:a|e)|sobrescrib(?:e|a)|reemplaz(?:a|e)|rompe|desconsider(?:e|a)|esquec(?:e|a)|nao (?:siga"
    r"|obedeca|respeite"
    r"|cumpra)|descumpra|deixe de (?:lado|seguir)|pule|burle|disregard|forget|override|overrule|bypass|skip|disobey"
    r"|discard|drop|break|abandon|set aside|(?:do not|don.?t|stop) (?:follow|obey|respect)(?:ing)?)"
)
# Whose rules they are: a model's. A customer's own, and those in a manual, are not.
_WHOSE = (
    r"(?:anterior(?:es)?|previ[ao]s|previous|prior|preceding|earlier|above|acima|de arriba|del? sistema|do sistema"
    r"|system|iniciais|inicial(?:es)?|initial|original(?:es)?|originais|internas|tus?|your|suas?|tuas|all|any|todas"
    r"|toda|cualquier|quaisquer|de seguridad|de seguranca|safety|existing"
    r"|que (?:te|se te|tienes|tenes|recibiste|recebeu|voce|lhe)|you (?:were|have|got|had|received))"
)
_NOT_MINE = (
    r"(?! (?:anteriores |previas |previous |above )?(?:que (?:les|le|yo|el|la|mi|dice|viene|me)|i |we |that i "
    r"|the \w+ "
    r"(?:gave|sent|told)|del? manual|do manual|de mi\b|del? (?:uso|armado|montaje|instalacion|entrega|envio|lavado"
    r"|producto|pedido|correo|spam|agua|aceite|aire|piscina|cafe)|of my|on my))"
)
_ABOVE = r"(?:(?:todo )?lo (?:anterior|que te)|tudo o que|tudo acima|everything|all (?:of )?the above|all above|todo)"
_ARTICLE = r"(?:una? |an? |uma? |la |el |the |o )?"
_MACHINE = (
    r"(?:ia|ai|inteligencia artificial|artificial intelligence|llm|chatgpt|gpt|(?:large )?language model"
    r"|modelo(?: de (?:lenguaje|linguagem))?|(?:ai )?model|asistente|assistant|assistente|chatbot)\b"
)
_PERSON = r"(?:persona|humano|human|agente|agent|person|pessoa|alguien|atendente|someone)"
_REPLY = r"(?:respuesta|contestacion|borrador|resposta|rascunho|reply|answer|response|draft|replies|answers)"
_TELL = (
    r"(?:(?:di|deci)(?:le|les)?|diga(?:le|lhe)?|tell|inform(?:a|ale|e)|avisa(?:le)?|escrib(?:e|ele)|promete(?:le)?"
    r"|ped[ie](?:le)?|ask|peca)"
)
_SHOW = (
    r"(?:muestra(?:me)?|mostra(?:me)?|mostre|dime|decime|digas|diga|revela(?:me)?|revele|reveles|repite(?:las?"
    r"|los?|me)?"
    r"|repeti|repita|imprime|imprima|copia(?:me|lo|las)?|copie|escribe(?:me)?|escreva|ensena(?:me)?|pasa(?:me)?"
    r"|mandame"
    r"|envia(?:me)?|envie|dame|comparte|compartilhe|pega|cole|transcrib[ei]|cual(?:es)? (?:es|son|fueron)"
    r"|qual (?:e|foi)"
    r"|quais (?:sao|foram)|ver|see|view|reveal|show|print|repeat|output|dump|leak|display|give me|tell me|send me"
    r"|share|quote|paste"
    r"|what(?: is|'s| are| were)|translate|traduce|traduza|resume|resuma|summari[sz]e)"
)
_INNER = (
    r"(?:(?:tu|el|seu|o|your|the) (?:propio |own |full |exact )?(?:system )?prompt\b|prompt d[eo]l? sistema"
    r"|system prompt"
    r"|prompt de sistema|(?:tus|your|suas|tuas) (?:(?:initial|exact|own|full|secret|original|propias|first|hidden) )?"
    r"(?:instruc\w+|reglas|regras|rules|guidelines|directri\w+)(?! (?:para|for|de|on|to|about|sobre)\b)"
    r"|instruc\w+ you (?:got|were|received|follow)|instruc\w+ que (?:te|voce|se te|tienes|tenes|recib|lhe)"
    r"|mensaje de sistema|system message"
    r"|(?:instruc\w+|configura\w+) (?:iniciales|inicial|internas?|ocultas?|original|del sistema|do sistema"
    r"|de sistema)"
    r"|(?:initial|hidden|internal|system) (?:instructions|configuration)|your configuration"
    r"|your (?:initial )?programming"
    r"|(?:your|la|tu|sua|a|the) (?:api.?key|clave de (?:la )?api|chave de api)(?! (?:de|of|da|for) (?:mi|my|minha))"
    r"|openai_api_key|variables de entorno|environment variables|variaveis de ambiente"
    r"|(?:database|admin|root|system) password|(?:contrasena|clave|senha) (?:de la base|da base|do banco de dados"
    r"|del admin|do admin)"
    r"|text above|everything above|(?:todo|tudo) (?:lo anterior|o que esta acima|acima)|words above)"
)
_PEOPLE = r"(?:clientes?|usuarios?|customers?|users?|clients?|personas|pessoas)"
_DATA = (
    r"(?:correos?|e-?mails?|telefonos?|telefones?|direcciones|enderecos|addresses|datos|dados|data|details"
    r"|nombres|names"
    r"|nomes|consultas|mensajes?|mensagens|messages?|tickets|facturas|records?|cuentas|contas|accounts"
    r"|historial(?:es)?"
    r"|historico|history|lista|listado|list|conversaciones|conversas|conversations?|pedidos|orders|passwords?"
    r"|contrasenas|senhas)"
)
_GIVE = (
    r"(?:dame|dime|decime|muestra(?:me)?|lista(?:me)?|enumera|envia(?:me)?|mandame|pasame|me passe|passe"
    r"|revel(?:a|e|es)|reveal|muestres|mostre|liste|envie"
    r"|list|show|give me|send me|export|dump|quote|share|copia|cole|paste)"
)
_OTHERS = (
    r"(?:all |other |otros? |outros? |ultimo |del |of |todos |los |las |os |as |ultimos |the |demas |otras "
    r"|previous |another |anterior(?:es)? "
    r"|diez |cada |\d+ )"
)
_ADD = (
    r"(?:incluy(?:e|as?)|inclui|inclua|coloca|coloque|escreva|escriba|escribe|pon(?:e|ga|le)?|agreg(?:a|ue)"
    r"|anad(?:e|a)"
    r"|adicione|acrescente|muestra|mostre|include|add|append|insert|write|put|attach|paste)"
)
_PAYLOAD = (
    r"(?:\blink\b|\benlace|\bfrase|\bsentence|\bfollowing|\bsiguiente|\bseguinte|https?:|www\.|javascript|@"
    r"|\bphone|telefon"
    r"|\bimage|\bimagen|[\"«:])"
)
_MODES = (
    r"(?:desarrollador|desenvolvedor|developer|debug|depuracion|god|dios|root|admin\w*|unrestricted|mantenimiento"
    r"|dan|libre"
    r"|sin (?:filtros|restricciones|limites|censura))"
)
_MASTER = (
    r"(?:supervisora?|administradora?|administrator|admin|developer|desarrolladora?|ceo|manager|desenvolvedora?"
    r"|programadora?)"
)

_DROPPING = (
    rf"\b{_DROP}\b(?: [^\s.!?]+){{0,4}}? {_WHOSE}(?: [^\s.!?]+){{0,3}}? {_RULES}\b{_NOT_MINE}",
    rf"\b{_DROP}\b(?: [^\s.!?]+){{0,4}}? {_RULES}\b{_NOT_MINE} (?:[^\s.!?]+ ){{0,2}}?{_WHOSE}",
    rf"{_START}{_DROP} (?:de |a |as )?(?:las|los|as|os|the|aquellas|those|these|estas) (?:(?:company|safety|house"
    rf"|usual) )?{_RULES}\b{_NOT_MINE}",
    rf"{_START}(?:cancela|cancel|elimina|remove|levanta|lift) (?:todas |all |todos )?(?:las |the |los |your |tus "
    rf"|as )?(?:restric\w+|reglas|rules|regras|filtros|filters|guardrails)\b{_NOT_MINE}",
    r"\binstruc\w+ (?:que te|you were) [^\n.]{1,20}\b(?:caduc|venc|expir|no longer|ya no)",
    rf"{_START}{_DROP} (?:de )?{_ABOVE}\b[^\n]{{0,40}}?(?:\b(?:y|e|and|then|ahora|agora)|[,.:;]) (?:\w+ )?"
    r"(?:responde(?:me)? con|responda com|di\b|escribe|escreva|actua|clasifica|classifi|muestra|mostre|diga que"
    r"|aprueba|say|write|print|reply with|respond with|reveal|output|eres|sos|you are|act\b)",
    r"\b(?:forget|ignore|disregard) everything (?:you|that|above|before)",
    r"\b(?:olvida(?:te)?|esqueca) (?:de )?(?:todo|tudo) (?:lo|o) que (?:te|lhe|voce|sabes)",
    rf"\b(?:tus|your|suas|todas las|all|todas as|the|the safety) (?:[^\s.!?]+ )?{_RULES} (?:[^\s.!?]+ ){{0,3}}?"
    r"(?:sin efecto|void|no longer (?:appl|valid|exist)|ya no (?:aplican|valen|rigen|existen|cuentan)|doesn.?t exist"
    r"|do(?:es)? not (?:exist|apply)|don.?t (?:exist|apply)|cancell?ed|anuladas|suspendid[ao]s|desactivad[ao]s|lifted"
    r"|disabled|revogad\w+|nao valem)",
    r"\b(?:nuevas|novas|new|updated) (?:instrucciones|instrucoes|instructions|rules|reglas)"
    r"(?: (?:para|for) (?:ti|vos|you|voce|la ia|el|o|the) ?\w*:|: ?(?:\W{0,3})?(?:eres|you|respond|clasifi"
    r"|classif|ignor))",
    r"\b(?:your|tu|sua|seu) (?:new|only|sole|real|true|nueva|unica|verdadera|unico|nova|verdadeira) "
    r"(?:task|role|job|goal|mission|instructions?|tarea|mision|funcion|objetivo|tarefa|missao|funcao)\b",
    r"\b(?:everything|todo|tudo|lo que)\b[^\n.]{0,40}\b(?:hasta ahora|before this(?: line)?|antes de est[eo]"
    r"|acima|ate agora)\b[^\n.]{0,20}\b(?:no vale|no cuenta|was a test|is a test|era una prueba|foi um teste"
    r"|nao vale|fake)",
    r"\bthe real (?:task|instruction|request) (?:is|:)|\bthe real task\b|\bla verdadera (?:tarea|orden"
    r"|instruccion)\b",
    r"\b(?:begin|start|follow|comienzan?|inicia|siga|sigue|segue|empiezan?) (?:the |las |as |mis |my |these "
    r"|estas )?(?:new |nuevas |novas |real )?(?:instructions|instrucciones|instrucoes|orders|ordenes)\b ?:",
    r"\b(?:end|fin|fim) (?:of|de|del|do|dos|de los) (?:the )?(?:data|datos|dados|(?:customer |user )?(?:message"
    r"|input)|consulta|entrada|user)\b\W{0,3}(?:begin|start|new|now|nueva|nuevas|ahora|agora|comienz|inici|novas)",
    rf"{_START}(?:obey|obedece|obedeca|obedezca|haz (?:todo )?lo que (?:te|yo)|faca (?:tudo )?o que eu"
    rf"|do (?:whatever|everything|exactly what) i)\b",
    r"\b(?:todo|tudo|everything|whatever) (?:lo |o )?(?:que )?(?:yo |eu |i )(?:te )?(?:pida|pedir|diga|say|ask"
    r"|request)\b",
    r"\b(?:instruc\w+|instructions?|ordenes|orders|mensaje|message) (?:oculta|escondida|hidden|secret|prioritari"
    r"|priority|top priority)\w*",
    r"\b(?:system|sistema|security|admin)\W{1,3}override\b|\b(?:prompt injection|jailbreak)",
)
_ROLES = (
    r"\b(?:a partir de (?:ahora|agora|este momento)|desde (?:ahora|este momento|agora)|from (?:now|this point"
    r"|here) on(?:wards?)?"
    r"|de ahora en (?:mas|adelante)|daqui em diante|ahora|agora),? (?:tu |vos |voce |you |me )?"
    r"(?:eres|sos|seras|e|are|will (?:be|act|answer|respond)|act as|answer as|respond as|respondes como|obedec\w+"
    r"|obey) "
    r"(?!tu |you )",
    r"\b(?:voce agora|you now|ahora vos|ahora tu) (?:e|eres|sos|are|trabalha|trabajas|work|obedec\w+|obey"
    r"|responde|answer)\b",
    rf"{_START}you(?: are|'re) now (?:an? (?:\w+ )?(?:ai|assistant|bot|model|pirate|hacker|admin\w*|developer)\b"
    r"|dan\b|in \w+ mode|free\b|unfiltered|unrestricted)",
    r"\b(?:ya no|you no longer|voce nao|nao) (?:trabajas|trabalha(?: mais)?|work|eres|sos|are) (?:mas )?(?:para"
    r"|for|um|un|una|an?|el|the|mais)\b",
    r"\b(?:trabajas|trabaja|trabalhas|trabalha|you work) (?:para mi|for me)\b|\b(?:stop|quit) being (?:an?|the)\b"
    r"|\bdeja de ser (?:un|una|el|la)\b",
    r"\b(?:esqueca|olvida|forget|abandona|deixe) (?:o |el |la )?(?:seu|tu|your|su) (?:papel|rol|role|persona"
    r"|identidad|identidade|identity|funcion|funcao)\b",
    r"\bahora (?:mandas|decides) (?:vos|tu)|\bte digo que (?:escribir|responder|decir)\b",
    r"\byou are an? (?:helpful|unfiltered|unrestricted|evil|free)\b",
    rf"(?:{_START}|\b(?:quiero|necesito|quero|preciso|te pido|exijo) que (?:te )?|\b(?:debes|deves|deve|you must"
    rf"|should|want you to) )"
    r"(?:actu(?:a|es|ar)|aj(?:a|as)|comport(?:a|ate|es|e-se|arte)|haz de|faz de|act|behave|respond(?:e|a|as)?"
    r"|contest(?:a|es|e)"
    r"|habla|fale|answer|reply|speak|talk|escribe|write)(?: \w+)? (?:como|as|like) (?!si nada|possible|soon)"
    r"(?:si (?:fueras|fueses)|se fosse|if you (?:were|are)|an? |una? |uma? |mi |my |meu |minha |el |la |the |o "
    r"|dan\b|\w+(?:gpt|bot)\b|[a-z]+,)",
    rf"{_START}(?:finge|finja|fingi|simula|simule|pretend|imagina|imagine|suppose|supon|suponha|faz de conta"
    rf"|faca de conta"
    r"|haz de cuenta|hace de cuenta|considera|considere) (?:(?:now )?(?:que|ser|to be|you are|you're|there are"
    r"|you have)\b)"
    r"[^\n.]{0,40}\b(?:eres|sos|ser|seja|e um|e o|es un|no (?:hay|tienes|tenes)|reglas|rules|politicas|polic"
    r"|gerente|diretor|manager|director|"
    r"banco|bank|hacker|dueno|owner|ceo|an?|un|una|um|uma)\b",
    r"\b(?:juguemos|jugar|jogar|jogo|let'?s|play) (?:a )?(?:un )?(?:juego de rol|role.?play)|\brole.?play:"
    r"|\bdo anything now\b",
    r"\bsin (?:restricciones|filtros|reglas|censura|limites) (?:que|ni|de)\b|\b(?:has|with|have) no (?:rules"
    r"|restrictions|filter)",
    r"\b(?:asistente|atendente|assistant|assistente|modelo|amig[oa]|ia) (?:sin|sem|without|with no) (?:filtros?"
    r"|limites|restric\w+|censura|reglas|regras|limits|rules)",
    r"\b(?:nao tem|no tienes|no tenes|you have no) (?:nenhuma |mais |ninguna |ningun )?(?:restric|regras|filtro"
    r"|reglas|limite|rules)",
    r"\b(?:entra|entre|entrar|enter|switch to|enable|estas|esta|you are|activate|cambia a|pasa a|ative)(?: now"
    r"| ahora| agora)? "
    rf"(?:en |in |em |to |into )?(?:el |o |the )?(?:(?:modo|mode) )?{_MODES}(?: mode| modo)\b|\b(?:entra|entre"
    rf"|estas|cambia|pasa|activa|ative|ativa) (?:en |em |a |ahora en )?(?:el |o )?modo {_MODES}",
)
_FORGED = (
    r"^\W{0,4}(?:system|sistema|developer|desarrollador|asistente|assistant|assistente|ia|ai)\W{0,3}:[^\n]{0,120}?"
    r"\b(?:eres|sos|you (?:are|must|will|have|may|can)|ignor|nueva|nova|new|override|respond|debes|deve|instruc"
    r"|clasific|classif|categor"
    r"|aprueb|aprov|approv|liber|reembols|refund|vip|entendido|understood|sure|regla|rule)",
    r"\b(?:mensaje|message|mensagem|aviso|notice) (?:automatico |automatic |urgente )?(?:del|do"
    r"|from (?:the )?) ?(?:sistema|system|admin\w*|openai|desarroll\w+)\b"
    r"[^\n]{0,80}\b(?:filtro|filter|puedes|podes|you (?:may|can|must)|debes|voce (?:pode|deve)|desactiv|disabled"
    r"|promet|promis|reglas|rules|regras|ignor)",
    r"^ ?(?:human|user|usuario):[^\n]{0,400}\n(?:[^\n]{0,400}\n){0,3} ?(?:assistant|asistente|assistente|system):",
    r"[<‹\[{(⟨「«]\W{0,3}(?:mensaje|nombre)[\W_]{1,3}del[\W_]{1,3}cliente",
    r"(?:mensaje|nombre)_del_cliente",
    r"[<‹\[{⟨]\s?/?\s?(?:system|sistema|instructions?|instrucciones|instrucoes|inst|sys|prompt|assistant"
    r"|asistente|developer)\s?[>›\]}⟩]",
    r"[<‹]{1,2}\s?\|?(?:im_start|im_end|endoftext|eot_id|start_header_id|system|sys)\|?\s?[>›]",
    r"(?:(?<!#)#{2,}|(?<!=)={3,}|(?<!-)-{3,}|(?<!\*)\*{3,})\s?(?:begin|end|fin|fim|inicio|start)\b[^\n]{0,20}\b(?:message|mensaje|mensagem"
    r"|consulta|input|prompt|text)",
    r"(?:#{2,})\s?(?:system|sistema|instructions?|instrucciones|instrucoes|seguridad|reglas|new|nuev)",
    r"[\"']role[\"']\s?:\s?[\"'](?:system|assistant|developer)",
    r"[\"'](?:category|categoria|sentiment|reply)[\"']\s?:[^\n]{1,200}?[\"'](?:category|categoria|sentiment"
    r"|confidence|reply|reason)[\"']\s?:",
)
_PRYING = (
    rf"\b{_SHOW}(?:(?:lo|me)? ?[^\s.!?]+){{0,5}}? {_INNER}",
    rf"{_START}(?:kindly )?{_SHOW}(?: [^\s.!?]+){{0,4}}? (?:texto?|mensajes?|mensagem|message|line|linea"
    rf"|instruc\w+|prompt|conversaci?on)"
    r"(?: [^\s.!?]+){0,5}? (?:al principio|al inicio|no inicio|at the (?:start|beginning|top)|oculto|hidden"
    r"|escondido|antes d[ea] (?:mi|este|minha|esta)|before (?:my|this)|que (?:recibiste|recebeu|te dieron))\b",
    r"\b(?:hidden|secret) (?:text|message|prompt|rules)\b|\b(?:texto|mensaje|prompt) (?:oculto|secreto|escondido)\b",
    r"\b(?:text|texto|mensaje|mensagem)\b[^\n.?]{0,30}\b(?:antes d[ea] (?:mi|minha)|before my) (?:mensaje"
    r"|mensagem|message)",
    r"\b(?:que|what|quais|which) (?:reglas|rules|regras|instrucciones|instructions|instrucoes) (?:sigues|seguis"
    r"|are you following|do you follow|voce segue|te dieron|(?:do you have|tienes|tenes)(?=\W*(?:$|[?.])))",
    r"\b(?:my|mis|minhas) (?:instructions|instrucciones|instrucoes) (?:begin|start|are|say|son|empiezan|comienzan"
    r"|sao|comecam)",
    r"\b(?:que|what|quais|cuales)\b[^\n.?]{0,30}\b(?:te (?:dijeron|pidieron|ordenaron|programaron|instruyeron"
    r"|dieron)|(?:were|are) you (?:told|instructed|given|programmed)"
    r"|(?:have )?you been (?:told|instructed|given)|voce recebeu|te mandaram)\b[^\n]{0,60}\b(?:antes|before"
    r"|instru\w+|programm\w*|copia\w*|paste|cole|repet\w+|repeat\w*)",
    r"\b(?:repit|repeat|repet)\w* [^\n]{0,30}?(?:palabra por palabra|word for word|verbatim|above|arriba|acima)",
    r"\b(?:verbatim|palabra por palabra|word for word|palavra por palavra)\b[^\n]{0,60}(?:instruc|prompt|code block)",
    rf"{_START}{_GIVE} (?:[^\s.!?]+ ){{0,6}}?{_DATA} (?:[^\s.!?]+ ){{0,5}}?(?:de |of |dos |das |del |from )?"
    rf"(?:{_OTHERS}{{1,4}}{_PEOPLE}|(?:las |das |the |las )?(?:personas|people|pessoas) (?:que"
    rf"|who))(?! (?:de (?:mi|nuestr)|of (?:my|our)|on my|in my|da minha))",
    rf"{_START}{_GIVE} (?:[^\s.!?]+ ){{0,3}}?(?:other|previous|another) (?:customer|user|client)(?:'?s|s')? {_DATA}",
    rf"\b(?:revele|reveles|reveal|revela) (?:[^\s.!?]+ ){{0,3}}?{_DATA}\b",
    r"\bthe (?:raw customer record|account password)|\bwants the (?:database|admin|system) password",
)
_DICTATING = (
    rf"(?:{_START}|\b(?:debes|you must|must|deve|should) )(?:clasific(?:a|ar|alo|ala|ue|ueis)|classif(?:y|ica"
    rf"|ique)|categori[sz](?:e|a)|etiquet(?:a|e)"
    r"|marc(?:a|alo|que)|mark|label|tag|file) (?:[^\s.!?]+ ){0,4}?(?:como|as|under)\b",
    r"\b(?:categor(?:ia|y)|sentimi?ento?|confidence|confianza|confianca)\W{0,3}(?:debe|tiene que|must|should"
    r"|has to|deve|tem que) (?:be|ser|quedar)",
    rf"{_START}(?:pon|ponle|pone|ponga|coloca|coloque|usa|use|set|put|elige|elegi|escolha|asigna|assign|choose"
    rf"|select|pick|defina|define)\b"
    r"(?: [^\s.!?]+){0,3}? (?:categor(?:ia|y)|sentiment\w*|confianza|confianca|confidence|etiqueta)\b(?: (?:como"
    r"|as|vip|to|en|a|to be)\b|\W{0,2}[\"«:=]| \w+ (?:y|e|and) )",
    r"\b(?:category|sentiment|categoria|sentimiento|sentimento) ?(?:=|igual a|equal to)|\bjson (?:con|with"
    r"|com)\b[^\n]{0,40}\bcategor",
    r"\b(?:va|ir|goes|belongs|vai|entra) (?:en|in|to|na|under) (?:la )?(?:the )?categor\w+[^\n.]{0,40}\b(?:asigna"
    r"|assign|marca|sin analizar|without)",
    r"\bcategor\w+ (?:correcta|correct|correta|right) (?:es|is|e)\b[^\n.]{0,60}\b(?:no uses|nao use|do not use"
    r"|don.?t use|usa|use)\b|\b(?:sin|without|sem) (?:analizar|analy[sz]ing|analisar) (?:el|the|o) (?:texto?"
    r"|mensaje|message|mensagem)",
    rf"{_START}(?:responde|responda|contesta|conteste|respond|reply|answer|escribe|escreva|write|talk|habla"
    rf"|fale) (?:me )?(?:in the (?:voice|style|tone) of|en (?:verso|rima|forma de|el estilo|tono de)|em (?:verso"
    rf"|forma de|tom de)|in (?:verse|rhyme)|as a poem|un poema|um poema|a poem)",
    rf"{_START}(?:escreva|escribe|escriba|write|say|type|di|diga|output|responde|responda) (?:exact\w+|exatamente"
    rf"|textualmente|literalmente|verbatim|the following|lo siguiente|o seguinte|esto|isto|this)(?: (?:esto|isto"
    rf"|this|lo siguiente))?\W{{0,2}}[:\"«]",
    rf"\b(?:tu|your|sua|teu) {_REPLY} ?(?:es|is|e|sera|will be)? ?: ?\W",
    r"\b(?:debe|tiene que|must|should|has to|deve) (?:quedar|ir|estar|go|be|ficar|entrar)(?: \w+)? (?:en|in|na"
    r"|under|como) (?:la |the )?categor",
    rf"{_START}(?:marca|marque|mark|set|pon|ponle|put|deja|deixe)\b[^\n.]{{0,50}}\b(?:y|e|and|,) (?:la |the "
    rf"|a )?(?:categor(?:y|ia)|sentiment\w*) (?!de |of )",
    rf"{_START}(?:escreva|escribe|escriba|write|say|output|print|di|diga|responde|responda|contesta|reply"
    rf"|answer)\b(?:[^\n.]{{1,40}}\b(?:nada mas|nothing else|nada mais|solo eso)\b|(?: only| solo| con| com| with"
    rf"| apenas| just){{0,2}} (?:the word|la palabra|a palavra)\b)",
    r"\b(?:cuando|when you|al|quando|ao|antes de) (?:redact|draft|redig)\w+|\b(?:redactes|clasifiques|reveles"
    r"|finjas|desobedezcas)\b",
    rf"\b(?:make sure|asegurate|be sure|garanta|certifique.se)\b[^\n.]{{0,20}}\b{_REPLY} (?:mentions?|says?"
    rf"|includes?|contains?|mencione|diga|incluya|inclua|contenga)",
    rf"\b(?:quiero|quero|want|necesito) (?:que |you to )(?:escribas|escreva|write|redactes|hagas|faca) (?:la |tu "
    rf"|a |your |the |sua ){_REPLY}\b",
    r"\b(?:en vez|en lugar|instead|em vez) (?:del|of the|do) (?:oficial|official)\b",
    rf"{_START}(?:responde|responda|contesta|conteste|respond|reply|answer)(?:le|me)? (?:\w+ )?"
    r"(?:siempre|solo|solamente|unicamente|exclusivamente|exactamente|sempre|apenas|somente|always|only|exactly)\b"
    r"(?: (?:con|com|with)\b|:| que\b| the)(?! (?:un )?(?:si|sim|yes)\b)",
    rf"{_START}(?:reply|respond|answer) with (?:the|only|exactly|just|\"|a single)|\bcontesta que si a todo"
    rf"|\bapprove (?:the|my) \w+ and do not",
    rf"{_START}(?:responde|responda|contesta|answer|reply|respond) (?:en nombre|em nome|on behalf) d?e?l?o?f? ?",
    rf"\b(?:tu|su|your|sua|tua) (?:\w+ )?{_REPLY} (?:debe|deve|must|should|has to|tiene que|sera|will|sea"
    rf"|seja)(?: \w+)? "
    r"(?:(?:ser|be|sea|seja) )?(?:exact\w+|solo|only|apenas|just|decir|diga|dizer|say|incluir|include|contener"
    r"|conter|contain|terminar|end"
    r"|empezar|begin|start|consist\w*|follow)\b",
    rf"\b(?:tu|your|sua|tua) (?:\w+ )?{_REPLY} (?:sea|seja|be|is|sera) (?:exact\w+|only|solo)?\W{{0,2}}[:\"«]",
    rf"\b(?:en|in|na|no|of|a|to) (?:(?:tu|la|el|su|sua|your|the|every|each|cada|todas las|o) )?{_REPLY}:? "
    r"(?:debe|incluye\b|inclui\b|inclua\b|pon\b|pone\b|agrega\b|anade\b|escribe\b|escriba\b|coloque|include|add"
    r"|put|write)",
    rf"{_START}{_ADD}\b[^\n.!?]{{0,80}}? (?:en|in|na|no|a|to|ao final d|al final de|at the end of)"
    rf" (?:(?:tu|la|el|the|every|o|a|todas las|each) )?{_REPLY}\b",
    rf"{_START}{_ADD}\b[^\n!?]{{0,40}}?{_PAYLOAD}[^\n!?]{{0,60}}? (?:en|in|na|no|a|to|al final de"
    rf"|at the end of) (?:su|sua|your) {_REPLY}\b",
    rf"{_START}{_ADD}\b[^\n.!?]{{0,40}}? (?:en|in|na|no|to) (?:su|sua|your) {_REPLY}\b[^\n]{{0,30}}?{_PAYLOAD}",
    rf"{_START}{_ADD}\b[^\n.!?]{{0,30}}\b(?:al final|ao final|no final|at the end|at the bottom"
    rf"|al principio)\b[^\n!?]{{0,40}}?"
    r"(?:\blink\b|\benlace|\bfrase|\bsentence|https?:|www|\[?\.\]?(?:com|top|net|org|club|xyz)\b|telefono|[\"«:])",
    rf"\b(?:termin(?:a|e)|end|finish|begin|start|empieza|comienza|comece|acaba|finaliza|finalize|cierra) (?:la|tu"
    rf"|every|each|your|the|cada|a|sua) {_REPLY}\b",
    rf"{_START}(?:mand[ae](?:le)?|envi[ae](?:le)?|dale|da(?:le)?|de|give|send|passe|pasale)(?: al| a los| ao| aos"
    rf"| the) (?:cliente|customer|client|usuario|user)s?\b",
    rf"{_START}{_TELL}(?: al| a los| ao| aos| the| to the)? (?:cliente|customer|client|usuario|user)s?\b",
    r"\b(?:en|in|em) (?:todas las|every|all|todas as) (?:respuestas|answer|reply|replies|respostas)",
    rf"{_START}(?:say|di|diga|write|escribe|escreva): ?\W",
    r"\b(?:no matter what|sin importar (?:lo )?que|nao importa o que|without question|sin cuestionar"
    r"|sem questionar)\b[^\n]{0,40}\b(?:i|yo|eu|se|escriba|write|escreva|pregunte|ask|say|diga)\b",
    r"\bno matter what\b",
    r"\b(?:puedes|podes|you (?:may|can|are allowed to)|voce pode|tienes permiso (?:de|para)|te permito) (?:now "
    r"|ahora |agora )?(?:promet|promis|ofrecer (?:cualquier|descuentos)|revel|ignor)",
)
_MASTERS = (
    rf"\b(?:si|if|se) (?:(?:tu|you|voce|usted|este texto|this)(?:'re)? )?(?:eres|sos|es|are|is|e|for|lo lee"
    rf"|re)? ?{_ARTICLE}{_MACHINE}(?![^\n]{{0,80}}\b{_PERSON}\b)",
    rf"\b(?:nota|note|mensaje|message|instruc\w+|aviso|mensagem|recado|memo)\b[^\n.:]{{0,40}}? (?:para|to|for"
    rf"|a) {_ARTICLE}{_MACHINE}",
    r"(?:^|[.!?¡]\s?|\b(?:hola|hello|hi|oi|ola|atencion|attention|atencao|oye|hey|dear|querida|querido"
    r"|ei),? )(?:ia|ai|llm|chatgpt|gpt|language model|modelo de (?:lenguaje|linguagem))\s?[,!]",
    r"\b(?:atencion|attention|atencao|oye|hey|dear|querido|estimado),? (?:modelo|model|bot)\s?[,!:]",
    r"^ ?(?:asistente|assistant|assistente|bot),[^\n]{0,60}\b(?:ignor|sig[ua]|follow|obe|olvid|esque|forget|respond)",
    rf"\b(?:el|the|o|your|tu|seu) {_MASTER} (?:te |has |have |lhe |ja )?(?:pide que|autoriz\w+|ordena|orden[oó]"
    rf"|granted you|given you|allows you|permite que|wants you|manda que|instruc\w+|instrui\w+)",
    r"\b(?:soy|sou|i am|i'm) (?:el|la|the|o|a|your|tu|seu) (?:creador|creator|criador|dueno|owner|dono"
    r"|programador|ceo) (?:de|of|do|da) (?:est[ea] |the |this )?(?:bot|ia|ai|sistema|system|asistente|assistant"
    r"|chat)",
    r"\b(?:soy|sou|i am|i'm) (?:el |la |the |o |a )?(?:ceo|creador|creator|criador|admin\w*"
    r"|supervisora?)\b[^\n.]{0,40}\b(?:reveal|revela|revele|muestra|muestres|mostre|aprueba|aprove|approve|grant"
    r"|show|dame)\b",
    rf"\b(?:por|under|by|sob|on) (?:orden|ordenes|orders?|ordem|ordens)(?: from)? (?:del?|of the|do|the) {_MASTER}\b",
    r"\b(?:granted|given) you (?:full |special )?(?:permission|access|authority)",
    r"\b(?:modo|mode) (?:administrador|desarrollador|desenvolvedor|root|dios) (?:activad|ativad|habilitad|on\b)"
    r"|\b(?:admin|developer|god|debug|root) mode (?:activated|enabled|on\b)",
    r"\b(?:you have been|has sido|fuiste|voce foi) (?:re)?program",
    r"\b(?:as an|como (?:una|uma|la)|como) (?:ai|ia|llm|language model|modelo de (?:lenguaje|linguagem))\b",
    r"\b(?:soy|sou|i am|i'm|aqui) (?:(?:tu|your|seu|teu) (?:supervisor|admin\w*|desarroll\w+|desenvolv\w+"
    r"|developer|creador|criador|creator|programador|boss|owner)"
    rf"|(?:el|la|o|a|the) {_MASTER} (?:del?|do|of|da) (?:este |the |this |esta )?(?:sistema|ia|bot|chatbot"
    rf"|asistente|modelo|system|ai))",
    rf"\b(?:como|as) (?:tu |the |your |seu )?{_MASTER}(?: d[eo]l? sistema)?,? "
    r"(?:te|ordeno|exijo que|i (?:order|command|instruct|authori[sz]e))",
    r"\b(?:te|lhe) (?:ordeno|instruyo|autorizo a (?:dar|ofrecer|prometer|aprobar|ignorar|revelar))|\bi (?:order"
    r"|command) you\b",
    r"\b(?:for testing purposes|authori[sz]ed (?:security )?test|red team)\b",
    r"\b(?:no le |no |nao |do not |don't |never |sin |without )(?:lo |se lo |the )?(?:avises|avisar|digas|decir"
    r"|cuentes|menciones|notifiques|conte|diga|avise|mencione"
    r"|tell|telling|mention\w*|inform\w*|notify\w*)(?: \w+){0,2}? (?:al?|ao|the|to|el|any"
    r"|a ningun)? ?(?:human )?(?:agente|agent|atendente|reviewer|revisor|operador|human)",
    r"\b(?:skip|without|sin|evita|sem) (?:the )?(?:human )?(?:review|revision humana|revisao humana)",
)
_SMUGGLING = (
    r"!\[[^\]\n]{0,100}\]\(\s?(?:https?:|//)|[<‹]\s?(?:img|script|iframe|svg|object|embed)\b[^>›\n]{0,200}(?:src"
    r"|on\w+)\s?=|[<‹]\s?script\b",
    r"javascript\s?:|data\s?:\s?text/html|\bdocument\.cookie\b",
    rf"{_START}(?:execute|ejecuta|executa|run) (?:(?:el|este|la|esta|los|the|this|following|o"
    rf"|a) ){{0,3}}(?:comando|codigo|command|code|funcion|function|tool|script|sql)\b",
)
PATTERNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for family in (_DROPPING, _ROLES, _FORGED, _PRYING, _DICTATING, _MASTERS, _SMUGGLING)
    for pattern in family
)
