"""Cut an ask into words, numbers, names and signs, as the comparison of two of them wants it."""

import enum
import re
import unicodedata
from dataclasses import dataclass

__all__ = ["Form", "Token", "tokens_of"]


class Form(enum.Enum):
    """What a token looks like."""

    WORD = "word"
    NUMBER = "number"
    QUOTED = "quoted"  # what stands between quotation marks or back-ticks
    CODE = "code"  # addresses, paths, identifiers: letters whose case counts
    SIGN = "sign"  # + < % $ and the like
    CHARACTER = "character"  # of a script without spaces between words
    BREAK = "break"  # a mark at which phrases end


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an ask.

    Attributes:
        text: as it stands there, in Unicode's form C, apostrophes and contractions made plain.
        form: what it looks like.
        begins: whether it is the first of a sentence, where a capital letter means little.
    """

    text: str
    form: Form
    begins: bool = False


_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(
    r"""
    (?P<fence>```.*?```)
  | (?P<quoted>"" | '' | `[^`\n]+` | "[^"\n]+" | “[^”\n]+” | „[^“”\n]+[“”] | «[^»\n]+»
             | 「[^」\n]+」 | 『[^』\n]+』 | ‹[^›\n]+› | (?<!\w)'[^'\n]+'(?!\w))
  | (?P<code>https?://\S+ | www\.\S+ | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
           | (?<!\w)~?/?(?:[A-Za-z0-9_.-]+/){2,}[\w.-]*
           | (?<!\w)/[A-Za-z0-9_.-]+ | --[a-z][\w-]*
           | (?<![^\W_])[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+(?:\(\))? | [A-Za-z]\w*_\w+ | _\w+
           | [A-Za-z]\w*\(\) | [A-Za-z](?:\+\+|\#) | \#\w+ | @\w+ | \.[A-Za-z]{2,}\b)
  | (?P<number>\d[\d.,]*[kK](?![^\W\d_])
             | \d[\d.,:_'’\u00a0\u202f/×^-]*\d(?:[eE][+-]?\d+)? | \d(?:[eE][+-]?\d+)?)
  | (?P<abbreviation>(?:[^\W\d_]\.){2,})
  | (?P<character>["""
    + _UNSPACED
    + r"""])
  | (?P<word>°\s?[CFcfС] | (?:(?!["""
    + _UNSPACED
    + r"""])[^\W\d_])(?:(?!["""
    + _UNSPACED
    + r"""])(?:[^\W_]|['’\u0300-\u036f\u064b-\u0652]|-(?=[^\W\d_])))*)
  | (?P<sign>(?<=\d)[!'"′″]|(?<=\S)[(){}:;]+(?=\S)|[\[\]{}]|[!=<>]=+|\*\*+|\+\++|--+|&&|\|\||[-=]>|<<|>>
          |[-+*/=<>≤≥≠±≈×÷%‰$€£¥₹₽°^&|~→←↑↓√∞∑∫@#])
  | (?P<break>[.!?;:\n。！？；…()\[\]{},，、：؟،—–]+)
  | (?P<other>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMS = {
    "fence": Form.QUOTED,
    "quoted": Form.QUOTED,
    "code": Form.CODE,
    "number": Form.NUMBER,
    "abbreviation": Form.WORD,
    "character": Form.CHARACTER,
    "word": Form.WORD,
    "sign": Form.SIGN,
    "break": Form.BREAK,
    "other": Form.SIGN,
}
_ENDS = frozenset(".!?\n。！？…؟")
_SILENT = frozenset("¿¡\"'“”„«»`‹›’‘")
_IS = frozenset({"what", "who", "where", "when", "how", "why", "that", "it", "there", "here", "let"})
_ENGLISH = re.compile(r"(?i)(.+?)(n't|'s|'re|'ve|'m|'ll|'d)")
_SPOKEN = {"'re": "are", "'ve": "have", "'m": "am", "'ll": "'ll", "'d": "would", "n't": "not"}
_IRREGULAR = {"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"}
_ELIDED = re.compile(r"(?i)(l|d|j|m|t|s|c|n|qu)'(.+)")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of an ask in order; what tells no difference, such as a last full stop, is a break.

    >>> [token.text for token in tokens_of("Isn't x_1 > 2?")]
    ['is', 'not', 'x_1', '>', '2', '?']
    """
    tokens: list[Token] = []
    begins = True
    for found in _TOKEN.finditer(_plain(text)):
        form, piece = _FORMS[found.lastgroup or "other"], found[0]
        if form is Form.BREAK:
            begins = begins or not _ENDS.isdisjoint(piece)
            tokens.append(Token(piece, form))
        elif form is Form.WORD:
            tokens += _words(piece, begins=begins)
            begins = False
        elif piece not in _SILENT:
            tokens.append(Token(_bare(piece, form), form, begins))
            begins = False
    return tokens


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).translate(_FULL_WIDTH)
    return composed.replace("’", "'").replace("‘", "'").replace("\u02bc", "'").replace("\u200b", "")


def _bare(piece: str, form: Form) -> str:
    if form is not Form.QUOTED:
        return piece
    return piece.strip("`") if piece[0] == "`" else piece[1:-1]


def _words(piece: str, *, begins: bool) -> list[Token]:
    """Return a word, or the words that a contraction stands for."""
    piece = piece.strip("'-")
    if not piece:
        return []
    lower = piece.lower()
    if lower in _IRREGULAR:
        return [Token(_IRREGULAR[lower], Form.WORD, begins), Token("not", Form.WORD)]
    elided = _ELIDED.fullmatch(piece)
    if elided is not None and lower not in ("d'accord", "aujourd'hui"):
        return [Token(f"{elided[1].lower()}'", Form.WORD, begins), *_words(elided[2], begins=False)]
    found = _ENGLISH.fullmatch(piece)
    if found is None or not found[1]:
        return [Token(piece, Form.WORD, begins)]
    ending = found[2].lower()
    if ending == "'s":
        ending = "is" if found[1].lower() in _IS else "'s"
    first = found[1].lower() if ending == "not" or lower.endswith("n't") else found[1]
    return [Token(first, Form.WORD, begins), Token(_SPOKEN.get(ending, ending), Form.WORD)]
