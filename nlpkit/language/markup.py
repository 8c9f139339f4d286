"""Operations of `clean` that remove HTML and control characters."""

from __future__ import annotations

import re

from nlpkit.language.patterns import Operation, find

# Only these are tags, so that `x<y and y>z`, `<3` and a data set's `<user>` stay.
_INLINE = (
    "abbr|acronym|a|bdi|bdo|big|b|cite|code|data|del|dfn|em|font|ins|i|kbd|label|mark|q|samp|"
    "small|span|strike|strong|sub|sup|s|time|tt|u|var|wbr"
)
_BLOCK = (
    "address|area|article|aside|audio|base|blockquote|body|br|button|canvas|caption|center|col|"
    "colgroup|dd|details|dialog|div|dl|dt|embed|fieldset|figcaption|figure|footer|form|frame|"
    "frameset|h[1-6]|head|header|hr|html|iframe|img|input|legend|li|link|main|map|marquee|menu|"
    "meta|nav|noscript|object|ol|optgroup|option|param|path|picture|pre|progress|p|script|section|"
    "select|source|style|summary|svg|table|tbody|td|template|textarea|tfoot|thead|th|title|track|"
    "tr|ul|video|[a-z]+:[a-z]+|!doctype html"
)
# Attributes must have a "=", so that `a <b or c> d` stays.
_TAG = rf"</?(?:(?P<inline>{_INLINE})|{_BLOCK})(?:\s[^<>=]*=[^<>]*)?\s*/?>"
# `&amp;amp;lt;` is one reference, so that a text escaped several times needs one pass. The
# semicolon is required: `&copy` in `?a=1&copy=2` is not ©.
_REFERENCE = r"&(?:amp;|#0{0,4}38;|#x0{0,4}26;)*(#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});"
_HIDING = r"<(?:!--|(script|style)\b[^<>]*>)"


def html() -> Operation:
    """Resolve entities, then remove scripts, styles, comments and tags.

    A block tag becomes a space and an inline tag nothing: `fim<br>começo` are two words,
    `pala<b>vra</b>` is one.
    """
    from html import unescape
    from html.entities import html5

    reference, tag = find(_REFERENCE), find(_TAG)

    def resolved(match: re.Match[str]) -> str:
        name = match[1] + ";"
        known = name[0] == "#" or name in html5
        # A number that is no character, such as a lone surrogate, gives U+FFFD: drop it.
        return unescape("&" + name).replace("\ufffd", "") if known else "&" + name

    def run(text: str) -> str:
        if "&" in text:
            text = reference.sub(resolved, text)
        if "<" in text:
            text = tag.sub(lambda match: "" if match["inline"] else " ", _without_hidden(text))
        return text

    return run


def _without_hidden(text: str) -> str:
    """Remove scripts, styles and comments, except one without an end."""
    opening = find(_HIDING)
    parts, position = [], 0
    while start := opening.search(text, position):
        closing = find(rf"</{start[1]}\s*>" if start[1] else "-->")
        end = closing.search(text, start.end())
        if not end:
            break
        parts.append(text[position : start.start()])
        position = end.end()
    return " ".join([*parts, text[position:]])


def without_controls() -> Operation:
    """Remove control characters and lone surrogates."""
    control = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
    return lambda text: text if text.isprintable() else control.sub("", text)
