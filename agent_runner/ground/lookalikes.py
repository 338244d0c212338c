"""Characters that look like ASCII and are not: dashes, quotes, spaces, the ellipsis, letters.

Models mix them up.
"""

import unicodedata

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u02bc\uff07"
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02"
_SPACES = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
    "\u205f\u3000"
)
_NOTHING = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_CYRILLIC = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501",
    "aeopcyxijshd",
)
_CYRILLIC_CAPITALS = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405",
    "ABEKMHOPCTYXIJS",
)
_GREEK = (
    "\u03bf\u03bd\u03b9\u03c1\u03b1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "ovipaABEZHIKMNOPTYX",
)
_TABLE = str.maketrans(
    dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_SINGLE, "'")
    | dict.fromkeys(_DOUBLE, '"')
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_NOTHING, "")
    | {"\u2026": "..."}
)
_LETTERS = str.maketrans(*_CYRILLIC) | str.maketrans(*_CYRILLIC_CAPITALS) | str.maketrans(*_GREEK)


def plain(text: str) -> str:
    """The text in which look-alikes are their ASCII forms; the number of lines stays."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).translate(_TABLE)


def like_latin(name: str) -> str:
    """The name with Latin letters for Cyrillic and Greek ones that nobody can tell from them."""
    return name.translate(_LETTERS)
