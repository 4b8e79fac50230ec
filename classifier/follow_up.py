"""Tell whether a turn thanks or takes leave, in the languages that people write most.

A closed class of words, like punctuation: what a short turn with one of them asks for is usually nothing.
Whether that matters, and how much, is learnt; this only looks.
"""

import re

__all__ = ["is_closing"]

_LONGEST = 80
_WORDS = re.compile(
    r"\b(?:thanks?|thx|ty|cheers|bye|goodbye|good ?night|that'?s all|got it"  # English
    r"|danke\w*|tschüss|das war'?s|merci|au revoir|bonne (?:soirée|journée|nuit)"  # German, French
    r"|gracias|adiós|gràcies|obrigad[oa]|valeu|grazie|arrivederci"  # Spanish, Catalan, Portuguese, Italian
    r"|bedankt|dank je|dank u|tot ziens|tack|takk|tak|kiitos|aitäh"  # Dutch, Nordic, Finnish, Estonian
    r"|dzięk\w*|děkuj\w*|díky|ďakujem|hvala|köszön\w*|mulțumesc|multumesc"  # Central Europe
    r"|спасибо|дякую|благодаря|хвала|ευχαριστ\w*|teşekkür\w*|sağ ?ol"  # Cyrillic, Greek, Turkish
    r"|terima kasih|makasih|cảm ơn|salamat|asante)\b"  # Indonesian, Vietnamese, Tagalog, Swahili
    r"|谢谢|謝謝|多谢|再见|ありがと|助かりました|감사|고마|ขอบคุณ|धन्यवाद|शुक्रिया|شكرا|تشکر|ممنون|תודה"
)


def is_closing(turn: str) -> bool:
    """Return whether a turn is short and thanks or takes leave.

    >>> is_closing("perfect, thanks!"), is_closing("why?")
    (True, False)
    """
    return len(turn) <= _LONGEST and _WORDS.search(turn.lower()) is not None
