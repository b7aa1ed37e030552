"""What a User-Agent says, in words: enough to know one's own browser again."""

from __future__ import annotations

# The first that is found counts: most pretend to be several of those after them.
BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
    "curl/": "curl",
    "python-requests/": "a Python program",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def in_words(agent: str) -> str:
    """Like "Firefox on Linux"; the text itself where it is of an unknown kind."""
    browser = next((name for sign, name in BROWSERS.items() if sign in agent), None)
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or agent[:60] or "an unknown program"
