"""Operations of `clean` on what a text comes wrapped in: HTML and control characters."""

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
# Attributes must hold a "=": in `a <b or c> d` there are none.
_TAG = rf"</?(?:(?P<inline>{_INLINE})|{_BLOCK})(?:\s[^<>=]*=[^<>]*)?\s*/?>"
# `&amp;amp;lt;` is one reference, or a text escaped often would take as many passes. The
# semicolon is asked for: `?a=1&copy=2` is no ©.
_REFERENCE = r"&(?:amp;|#0{0,4}38;|#x0{0,4}26;)*(#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});"
_HIDING = r"<(?:!--|(script|style)\b[^<>]*>)"


def html() -> Operation:
    """Resolve entities, then take out scripts, styles, comments and tags.

    A tag that a browser would break the line at becomes a space, any other nothing:
    `fim<br>começo` are two words, `pala<b>vra</b>` is one.
    """
    from html import unescape
    from html.entities import html5

    reference, tag = find(_REFERENCE), find(_TAG)

    def resolved(match: re.Match[str]) -> str:
        name = match[1] + ";"
        known = name[0] == "#" or name in html5
        # What is no character, as half of a surrogate pair, gives U+FFFD: it goes.
        return unescape("&" + name).replace("\ufffd", "") if known else "&" + name

    def run(text: str) -> str:
        if "&" in text:
            text = reference.sub(resolved, text)
        if "<" in text:
            text = tag.sub(lambda match: "" if match["inline"] else " ", _without_hidden(text))
        return text

    return run


def _without_hidden(text: str) -> str:
    """Take out scripts, styles and comments; one that never ends is left as it is."""
    opening = find(_HIDING)
    kept, at = [], 0
    while start := opening.search(text, at):
        closing = find(rf"</{start[1]}\s*>" if start[1] else "-->")
        end = closing.search(text, start.end())
        if not end:
            break
        kept.append(text[at : start.start()])
        at = end.end()
    return " ".join([*kept, text[at:]])


def without_controls() -> Operation:
    """Take out control characters, and halves of a surrogate pair, which are no text."""
    control = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
    return lambda text: text if text.isprintable() else control.sub("", text)
