"""Recognise two kinds of short follow-up, in the languages that people write most: thanks, and assent.

Closed classes of words, like punctuation. "Thanks, bye" asks for nothing more, whatever came before; "yes, do
it" asks for all of it. How much either matters is learnt; this only looks.
"""

import re

__all__ = ["ASSENT", "CLOSING", "is_assent", "is_closing"]

_LONGEST_CLOSING = 80
_LONGEST_ASSENT = 60
# Patterns, compiled by `re` when a conversation first needs them: importing this package stays quick. Ports
# (classifier/javascript) repeat them word for word.
CLOSING = (
    r"\b(?:thanks?|thx|ty|cheers|bye|goodbye|good ?night|that'?s all|got it"  # English
    r"|danke\w*|tschüss|das war'?s|merci|au revoir|bonne (?:soirée|journée|nuit)"  # German, French
    r"|gracias|adiós|gràcies|obrigad[oa]|valeu|grazie|arrivederci"  # Spanish, Catalan, Portuguese, Italian
    r"|bedankt|dank je|dank u|tot ziens|tack|takk|tak|kiitos|aitäh"  # Dutch, Nordic, Finnish, Estonian
    r"|dzięk\w*|děkuj\w*|díky|ďakujem|hvala|köszön\w*|mulțumesc|multumesc"  # Central Europe
    r"|спасибо|дякую|благодаря|хвала|ευχαριστ\w*|teşekkür\w*|sağ ?ol"  # Cyrillic, Greek, Turkish
    r"|terima kasih|makasih|cảm ơn|salamat|asante)\b"  # Indonesian, Vietnamese, Tagalog, Swahili
    r"|谢谢|謝謝|多谢|再见|ありがと|助かりました|감사|고마|ขอบคุณ|धन्यवाद|शुक्रिया|شكرا|تشکر|ممنون|תודה"
)
ASSENT = (
    r"\b(?:yes|yep|yeah|sure|ok|okay|go|do (?:it|that)|please do|continue|proceed|carry on|keep going|next"
    r"|ja|jawohl|mach|los|weiter|oui|vas-y|allez-y|continue[zr]"  # German, French
    r"|sí|si|adelante|dale|sigue"  # Spanish
    r"|sim|pode|avança|segue|va bene|procedi|vai|graag|doe maar"  # Portuguese, Italian, Dutch
    r"|tak|dawaj|да|давай\w*|продолж\w*|ano|igen|kyllä|joo|evet|devam|ya|lanjut)\b"
    r"|はい|お願い|続け|好的|可以|继续|来吧|계속|^네|^예|نعم|تابع|أكمل|हाँ|हां"
)


def is_closing(turn: str) -> bool:
    """Return whether a turn is short and thanks or takes leave.

    >>> is_closing("perfect, thanks!"), is_closing("why?")
    (True, False)
    """
    return len(turn) <= _LONGEST_CLOSING and re.search(CLOSING, turn.lower()) is not None


def is_assent(turn: str) -> bool:
    """Return whether a turn is short, no question, and tells the assistant to go ahead.

    >>> is_assent("yes, do it"), is_assent("ok thanks"), is_assent("is that ok?")
    (True, False, False)
    """
    if len(turn) > _LONGEST_ASSENT or turn.rstrip().endswith(("?", "？", "؟")) or is_closing(turn):
        return False
    return re.search(ASSENT, turn.lower()) is not None
