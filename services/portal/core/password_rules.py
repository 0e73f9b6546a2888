"""Which passwords are good enough: long, and not among the first that are guessed.

After NIST SP 800-63B, 3.1.1.2: length and a list of common ones instead of rules about symbols.
"""

from __future__ import annotations

import re
import unicodedata

from services.portal.model.errors import WeakPassword

MIN_CHARS = 12
MAX_CHARS = 256
MIN_DIFFERENT = 5
"""A password of fewer different characters is a pattern."""

# What remains of a password once its digits and signs are taken off both ends.
_COMMON = frozenset(
    """
    abcdefghijkl abcdefghijklm abcdefghijklmnop administrator adminadmin adminadminadmin admin
    agent agentagent asdfasdfasdf asdfghjkl asdfghjklqwerty baseball basketball bonjourbonjour
    callcenter callcentre carillon carilloncarillon changeit changeme changemenow
    changemeplease charlie company computer contactcenter contactcentre contrasena default
    defaultpassword demodemo demodemodemo dontforget dragon easypassword football forgotpassword
    freedom geheim geheimgeheim gotopassword hallohallo helloworld helpdesk hunter iamgod iloveyou
    iloveyouforever iloveyousomuch internet jesuschrist jordan justforyou letmein letmeinnow
    letmeinplease liverpool login loginlogin lovelovelove manager managermanager masterpassword
    michael monkey motdepasse mypassword mypasswordis newpassword nopassword nothing operator
    parola parolaparola passpass passpasspass passphrase passw password passwordadmin
    passwordpassword passwort pokemon princess qazwsx qazwsxedc qazwsxedcrfv qwerasdfzxcv qwerty
    qwertyqwerty qwertyuiop qwertyuiopasdf qwertyuiopasdfghjkl qwertz qwertzuiop root rootroot
    secret secretpassword secretsecret service starwars summer summertime sunshine superadmin
    superman supersecret supervisor supervisorsupervisor support supportsupport telephone test
    testpassword testtest testtesttest testing temporary temporarypassword temppassword
    thepassword thisisapassword thisismypassword trustno unbreakable unknown user username
    userpassword welcome welcomewelcome welcometo whatever winter winteriscoming workwork
    wordpass zxcvbnm zxcvbnmasdfghjkl yourpassword
    """.split()  # noqa: SIM905  # a list of words reads better as prose
)
_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
)


def normalised(password: str) -> str:
    """The same password from every keyboard (RFC 8265, 4.2.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, *, names: tuple[str, ...] = ()) -> None:
    """WeakPassword unless it is good enough; `names` are the user's and the tenant's."""
    if len(password) > MAX_CHARS or len(normalised(password)) < MIN_CHARS:
        raise WeakPassword(f"a password has {MIN_CHARS} to {MAX_CHARS} characters")
    if "\0" in password:
        raise WeakPassword("a password holds no NUL character")
    plain = normalised(password).casefold()
    if len(set(plain)) < MIN_DIFFERENT or _is_run(plain) or _repeats(plain):
        raise WeakPassword("the password is a pattern that is guessed first")
    if {_core_of(plain), _core_of(plain).translate(_LEET)} & _COMMON:
        raise WeakPassword("the password is among the commonest")
    if _core_of(plain) in {_core_of(name.casefold()) for name in names if name}:
        raise WeakPassword("the password is the name of the user or the tenant")


def _core_of(plain: str) -> str:
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain).replace(" ", "")


def _is_run(plain: str) -> bool:
    return any(plain in way or plain in way[::-1] for way in _RUNS)


def _repeats(plain: str) -> bool:
    """Whether a short piece, up to a quarter of it, makes up the whole."""
    return any(
        plain == (plain[:size] * (len(plain) // size + 1))[: len(plain)]
        for size in range(1, len(plain) // 4 + 1)
    )
