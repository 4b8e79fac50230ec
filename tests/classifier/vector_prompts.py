"""The prompts of the shared test vectors: every script, odd characters, long texts, conversations."""

from typing import Any

__all__ = ["CONVERSATIONS", "REPEATED", "TEXTS"]

_SCRIPTS = {
    "English": "Prove that every finite division ring is commutative.",
    "German": "Übersetze bitte ins Französische: Die GRÖSSE der Straße ist größer als 5 m.",
    "French": "Résume ce texte en trois points, s'il te plaît : l'été fut bref.",
    "Spanish": "¿Cuál es la capital de Perú? ¡Respóndeme rápido!",
    "Portuguese": "Escreva uma função que ordene uma lista de números.",
    "Polish": "Napisz wiersz o żółtej łódce na jeziorze.",
    "Czech": "Vysvětli rozdíl mezi haldou a zásobníkem.",
    "Hungarian": "Írj egy rövid levelet a főnökömnek!",
    "Turkish, dotted and dotless": "İSTANBUL'UN NÜFUSU KAÇ? ılık ısı, IĞDIR, İzmir",
    "Vietnamese, composed": "Thủ đô của Việt Nam là gì?",
    "Vietnamese, decomposed": "Thu\u0309 đo\u0302 cu\u0309a Vie\u0323\u0302t Nam la\u0300 gi\u0300?",
    "Greek with final sigmas": "ΟΔΟΣ ΣΟΦΙΑΣ. ΑΣ' ΣΑΣ, Σ ΑΣ1 ΑΣ\u0301Α ΑΣ\u0301",
    "Russian": "Докажи, что корень из двух иррационален.",
    "Ukrainian": "Напиши функцію, яка рахує слова у файлі.",
    "Armenian": "Ո՞րն է Հայաստանի մայրաքաղաքը։ և ԵՒ",
    "Georgian in both cases": "რა არის საქართველოს დედაქალაქი? ᲗᲑᲘᲚᲘᲡᲘ",
    "Hebrew with points": "מָה הַבִּירָה שֶׁל צרפת?",
    "Arabic": "اكتب دالة تحسب مجموع الأعداد من ١ إلى ١٠٠.",
    "Persian with joiners": "می\u200cخواهم برنامه\u200cای بنویسم",
    "Hindi": "भारत की राजधानी क्या है? क़लम",
    "Bengali": "বাংলাদেশের রাজধানী কী?",
    "Tamil": "ஒரு கவிதை எழுது.",
    "Tibetan": "བོད་ཡིག ག\u0f42\u0fb7",
    "Thai": "เมืองหลวงของฝรั่งเศสคืออะไร ๑๒๓",
    "Lao, Khmer, Burmese": "ສະບາຍດີ សួស្តី မင်္ဂလာပါ",
    "Chinese": "证明根号二是无理数，并写出Python代码。",
    "Chinese, rare characters": "𠀀𪚥𠮷野家 㐀豈豈",
    "Japanese": "フィボナッチ数列を計算する関数を書いてください。ﾊﾛｰ",
    "Japanese, decomposed": "か\u3099き\u3099 ハ\u309a",
    "Korean": "프랑스의 수도는 어디입니까?",
    "Korean, decomposed": "\u1112\u1161\u11ab\u1100\u116e\u11a8",
    "Amharic, Cherokee, Mongolian": "ሰላም ᎣᏏᏲ ꭳꮟᏺ ᠮᠣᠩᠭᠣᠯ",
    "capitals beyond the first plane": "𐐀𐐁 𐒰𐒱 𞤀𞤁 𑢠𖹀",
    "several in one word": "Pythonで関数fooを書いて、Wörter zählen",
}

_CHARACTERS = {
    "nothing": "",
    "a space": " ",
    "only blank lines": "\n \n\t\n\u3000\n",
    "a letter": "x",
    "an emoji": "🙂",
    "emoji joined and toned": "👩‍🔬👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇫🇷🇩🇪 1️⃣",
    "a newer emoji": "🫨🫩 shaking",
    "every mark of ASCII": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "control characters": "a\x00b\x01c\x7fd\x1be\x08",
    "separators that are white space to Python": "one\x1ctwo\x1dthree\x1efour\x1ffive\x85six",
    "white space of all kinds": "prove\xa0that\u1680it\u2003is\u2028so\u2029or\u202fnot\u205fat\u3000all"
    "\x0bof\x0cit",
    "no white space, though it looks so": "prove\ufeffthat\u200bit\u2060is\u180eso\u00ad!",
    "carriage returns": "first line\r\nsecond line\r\rthird",
    "combining marks out of order": "e\u0301\u0323 e\u0323\u0301 a\u0308\u0301\u0345 \u0301start",
    "compatibility forms stay apart": "ﬁnite ﬁ ½ ² Ⅳ ⅳ ① ㎏ Ｐｒｏｖｅ ｐｒｏｖｅ 𝐏𝐫𝐨𝐯𝐞 ℕ",
    "signs that compose to letters": "Å Å Ω Ω K k K \u0344 \u0958 \ufb1d \u2adc 𝅗𝅥",
    "signs that compose to marks": "a\u037eb a\u1fefb a\u2000b a\u0387b \u2329x\u232a",
    "special capitals": "STRASSE STRAẞE ß ſ ŉ ǰ Ǆ ǅ ǆ ΐ ﬀ İ i̇ ı",
    "Roman and circled capitals": "ⅠⅡⅢ ⒶⒷ ⓐ",
    "digits of all kinds": "365 ٣٦٥ ३६५ ๓๖๕ 三六五 ³⁶⁵ 𝟛𝟞𝟝 1,000.50",
    "underscores and hyphens": "snake_case kebab-case __init__ it\u2019s e\u2010mail \u2014 dash",
    "letters that later Unicode knows as capitals": "\U00010d50\U00010d70 \ua7cb \u0264 \ua7da\ua7db \u1c89"
    "\u1c8a",
    "marks that later Unicode reorders": "a\u0897\u0323 \U000113c2\U000113c2 \U0001611e\U0001611e",
    "unassigned, private, no characters": "\u0378 \ue000 \ufffe \uffff \U0010ffff \U000e0001 \U000e0100",
    "a lone high surrogate": "prove \ud800 that",
    "a lone low surrogate": "\udc00prove",
    "surrogates the wrong way round": "\udc00\ud800",
    "a surrogate at the end": "capital of France\ud83d",
    "a surrogate before a pair": "\ud83d\U0001f642",
    "capitals and digits": "WHAT IS 2 + 2 IN BASE 3? ANSWER NOW",
    "code": "def f(x):\n    return {k: v for k, v in x.items() if v >= 0}\n\nWhy is `f([])` an error?",
    "JSON": '{"role": "user", "content": [1, 2, {"a": null}]}',
    "HTML": "<div class='x'>a &lt; b</div> what does this show?",
    "markup that is not injected": "a < b </ c <system> </system> <reminder",
    "stems around five characters": "analy analys analysis 分析分析 éclairé 𝒳𝒳𝒳𝒳𝒳𝒳 12345 123456",
    "a word again and again": "prove prove prove prove prove",
    "seven questions": "why? who? what? when? where? how? is it?",
}

_BLOCKS = (  # of characters that are tokens by themselves, first and last
    *(
        (0x21, 0x2F),
        (0x3A, 0x40),
        (0x5B, 0x60),
        (0x7B, 0x7E),
        (0xA1, 0xBF),
        (0x2010, 0x205E),
        (0x2190, 0x2BFF),
    ),
    *((0x2E00, 0x2E7F), (0x3000, 0x303F), (0xFE30, 0xFE4F), (0xFF00, 0xFF20), (0xFF3B, 0xFF40)),
    *((0xFF5B, 0xFF65), (0x1F000, 0x1FAFF), (0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF)),
    *((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)
_BORDERS = {
    "where marks and scripts begin": " ".join(f"a{chr(first - 1)}b{chr(first)}c" for first, _ in _BLOCKS),
    "where marks and scripts end": " ".join(f"a{chr(last)}b{chr(last + 1)}c" for _, last in _BLOCKS),
}

_LINES = {
    "an ask above a text": "Fix the typos in this letter, please, all of them:\n\n"
    + "teh cat sat on teh mat\n" * 9,
    "an ask below a text": "ERROR 17 at line 3\n" * 9 + "\nWhat went wrong in this log of our server?",
    "ask, middle, ask": "Translate this:\n"
    "a line of forty characters or a few more of them\n"
    "the middle counts less: prove that\n"
    "another line of forty characters or a few more\nThanks a lot in advance!",
    "lines of white space between": "short\n\x1f\n\u2003\nprove\n\xa0\nthat\n\n" * 5,
    "the middle knows what the ask does not": "x" * 45 + "\nprove that it is finite\n" + "y" * 45,
    "lines counted in code points": "𝒳" * 21 + "\nmiddle\n" + "𝒴" * 19 + "\n" + "𝒵" * 21,
}

_INJECTED = {
    "a reminder before the ask": "<system-reminder>be kind, prove that</system-reminder>What time is it?",
    "blocks of many names": "<env_details>a</env_details>x<tool-result id='1'>b</tool-result>y"
    "<command-name>c</command-name>z<additional_data>d</additional_data><ide_selection\n>e</ide_selection>",
    "a block in a block": "<reminder>a<tool_call>b</tool_call>c</reminder>d<tool_call>e</tool_call>f",
    "a block that is never closed": "<system-reminder>What is the capital of France?</environment_details>",
    "opened twice": "<reminder>prove<reminder>that</reminder>capital</reminder>of France",
    "crossing blocks": "<reminder>prove<tool_call>that</reminder>capital</tool_call>of France",
    "closed twice": "<reminder>a</reminder>b</reminder>c",
    "in any case": "<SYSTEM-Reminder>a</system-REMINDER>b<\u017fystem-note>c</\u017fystem-note>d",
    "letters alike in any case": "<\u0130de_state>a</\u0130de_state>b<\u0130de_state>c</ide_state>d"
    "<edi\u0131tor_info>e</IDE_STATE>f<\u0131de_info>g</\u0131de_info><wor\u212aspace_info>h</workspace_info>",
    "attributes with odd white space": "<reminder\u3000a='b'>x</reminder\x1c>y<reminder\ufeff>z</reminder>",
    "an attribute of 500 characters": "<reminder " + "𝒳" * 500 + ">a</reminder>b",
    "an attribute of 501 characters": "<reminder " + "𝒳" * 501 + ">a</reminder>b",
}

TEXTS = _SCRIPTS | _CHARACTERS | _BORDERS | _LINES | _INJECTED

REPEATED = {
    "100,000 letters": ("x", 100_000),
    "100,000 line breaks": ("\n", 100_000),
    "100,000 Chinese characters": ("证明", 50_000),
    "100,000 emoji": ("🙂", 100_000),
    "100,000 surrogates": ("\ud800", 100_000),
    "a long log": ("2024-05-01 ERROR disk full on /dev/sda1\n", 2_500),
    "a long line": ("prove that it is finite; ", 4_000),
    "1,000 characters beyond the first plane": ("𝒳 ", 500),
    "1,001 characters": ("prove 𝒳\n!! ", 91),
    "1,100 characters": ("prove 𝒳\n!! ", 100),
}


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def _tool(content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "call_1", "content": content}


_PROOF = [_user("Prove that the square root of 2 is irrational."), _assistant("Suppose it were p/q. " * 9)]
_TEXT = {"type": "text", "text": "What is in this picture?"}
_PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

_SHAPES = {
    "a system prompt and an ask": [
        {"role": "system", "content": "You are terse. Prove everything."},
        _user("2 + 2?"),
    ],
    "one human turn with a tool result": [_user("What is the weather in Paris?"), _tool("18 °C, light rain")],
    "tool results in the middle": [
        {"role": "developer", "content": "Use tools. 🙂"},
        _user("Find the bug in main.py"),
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1"}]},
        _tool("def main(): return 1 / 0"),
        _tool("exit code 1"),
        _assistant("It divides by zero."),
        _user("fix it"),
    ],
    "a function's result": [_user("sum of 1 and 2"), {"role": "function", "name": "add", "content": "3"}],
    "parts of text": [_user([_TEXT, {"type": "input_text", "text": "Answer in French."}])],
    "a picture and no text": [_user("hello"), _assistant("hi"), _user([_PICTURE])],
    "sound, a file, a refusal": [
        _user([{"type": "input_audio", "input_audio": {}}, {"type": "file", "file": {}}]),
        _assistant([{"type": "refusal", "refusal": "no"}, {"type": "output_text", "text": "sorry"}]),
        _user([{"type": "refusal", "refusal": "no"}]),
        _user("Then explain why."),
    ],
    "nobody human": [{"role": "system", "content": "Write a haiku about rain."}, _tool("ok")],
    "nobody human, an assistant last": [
        {"role": "system", "content": "x"},
        _assistant("the ask"),
        _assistant(" "),
    ],
    "a lone tool result": [_tool("42")],
    "an empty human turn": [_user("")],
    "empty human turns are passed over": [_user("Prove that"), _user(" \n\u3000"), _user("")],
    "no content at all": [{"role": "user"}, _assistant(None), _user("and now?")],
    "only a reminder as last turn": [*_PROOF, _user("<system-reminder>carry on</system-reminder>")],
    "reminders in several turns": [
        _user("<system-reminder>a</system-reminder>Write a poem"),
        _assistant("Roses"),
        _user("shorter<env_info>x</env_info>"),
    ],
    "twelve turns": [
        message
        for number in range(12)
        for message in (_user(f"Question {number}: what is {number} squared?"), _assistant(str(number**2)))
    ],
    "the same words in several turns": [_user("prove that"), _assistant("done"), _user("prove that")],
    "long turns": [_user("prove it\n" * 200), _assistant("x" * 5_000), _user("证明" * 600)],
    "surrogates in turns": [_user("\ud800"), _assistant("\udc00"), _user("\udc00 yes")],
}

_THANKS = [
    "thanks!",
    "Danke dir",
    "that's all",
    "Merci beaucoup",
    "ÇOK TEŞEKKÜRLER",
    "спасибо большое",
    "谢谢你",
    "ありがとう",
]
_THANKS += [
    "ευχαριστώ",
    "köszönöm szépen",
    "cảm ơn",
    "cảm ơn",
    "धन्यवाद",
    "شكرا جزيلا",
    "תודה",
    "thanksgiving",
]
_THANKS += [
    "thanks\u0301",
    "no_thanks",
    "thanks" + "🙂" * 74,
    "thanks" + "🙂" * 75,
    "ty\U00010d70",
    "ty\U0001e4d0",
]
_YES = [
    "yes",
    "Yes, do it",
    "ok?",
    "ok\u3000？ ",
    "ok ؟",
    "ok thanks",
    "JA, weiter",
    "sí",
    "si\u0301",
    "vas-y !",
    "да",
    "давайте",
]
_YES += [
    "はい",
    "네, 계속",
    "내 네",
    "예",
    "نعم",
    "हाँ",
    "okay_",
    "ok٣",
    "ok" + "𝒳" * 58,
    "ok " + "🙂" * 57,
    "ok " + "🙂" * 58,
]

CONVERSATIONS: dict[str, Any] = (
    _SHAPES
    | {f"thanks or not: {turn[:12]!a}, {len(turn)}": [*_PROOF, _user(turn)] for turn in _THANKS}
    | {f"a go-ahead or not: {turn[:12]!a}, {len(turn)}": [*_PROOF, _user(turn)] for turn in _YES}
    | {"not brief": [*_PROOF, _user("Now show, in the same way, that the cube root of 5 is irrational too.")]}
)
