"""One person at one browser of their own."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.browser.problems import NotHeard, Troubled

Heard = dict[str, float | str] | None
"""The loudest frequency of this moment in Hz with its level in dB; None: nothing is connected."""

EAR = Path(__file__).with_name("ear.js")
PATIENCE_MS = 30_000
"""For whatever a page does soon, were the machine not busy with something else."""
LOUD_DB = -60.0
"""A tone of the other side is at least so loud in the page's spectrum."""
NEAR = 0.04
"""How far from the frequency asked for the loudest one may be, as a part of it."""
LISTEN_S = 0.05
RATE = 48_000
# Chromium takes a steady tone for noise and suppresses it: the tone comes in short cries.
CRY_S, PAUSE_S = 0.35, 0.15
EXPECTED = ("the server responded with a status of",)
"""What Chromium says of any refusal, also of those that the page expects."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
)


@dataclass
class Person:
    """Somebody who sits at a page of the portal."""

    context: BrowserContext
    page: Page
    address: str
    """The portal's."""
    troubles: list[str] = field(default_factory=list)

    async def sign_in(self, *, tenant: str, username: str, password: str) -> None:
        """Through the page that everybody comes by."""
        await self.page.goto(f"{self.address}/?tenant={tenant}")
        await self.page.get_by_label("User name").fill(username)
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.get_by_role("button", name="Account and settings").wait_for()

    async def open(self, path: str) -> None:
        """Goes to one of the portal's addresses."""
        await self.page.goto(self.address + path)
        await self.page.get_by_role("heading", level=1).first.wait_for()

    async def tab(self) -> Person:
        """Another tab of the same browser, with the same session."""
        return self._watched(await self.context.new_page())

    def _watched(self, page: Page) -> Person:
        other = Person(self.context, page, self.address, self.troubles)
        other.watch()
        return other

    def watch(self) -> None:
        """Notes what the page says against itself."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(f"thrown: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in EXPECTED):
            self.troubles.append(f"console: {message.text}")

    def untroubled(self) -> None:
        """Fails if the page threw or complained."""
        if self.troubles:
            raise Troubled("; ".join(self.troubles))

    async def hears_tone(self, hz: float, within_s: float) -> None:
        """The other side's tone comes out of the page's connection."""
        await self._hears(lambda heard: _loud(heard) and _near(heard, hz), within_s, f"{hz:.0f} Hz")

    async def hears_no_tone(self, hz: float, within_s: float) -> None:
        """The tone stops: for half a second it is not heard at all."""
        await self._hears(
            lambda heard: not (_loud(heard) and _near(heard, hz)), within_s, "no tone", lasting=10
        )

    async def hears_anything(self, within_s: float) -> None:
        """A voice, music or a tone comes out of the page's connection."""
        await self._hears(_loud, within_s, "a sound")

    async def hears_nothing(self, within_s: float) -> None:
        """Half a second of silence comes out of the page's connection."""
        await self._hears(lambda heard: not _loud(heard), within_s, "silence", lasting=10)

    async def _hears(
        self, wanted: Callable[[Heard], bool], within_s: float, what: str, *, lasting: int = 1
    ) -> None:
        """Until what comes is wanted so many times, one after another; NotHeard."""
        last: Heard = None
        times = 0
        try:
            async with asyncio.timeout(within_s):
                while times < lasting:
                    last = await self.page.evaluate("window.carillonEar()")
                    times = times + 1 if wanted(last) else 0
                    await asyncio.sleep(LISTEN_S)
        except TimeoutError:
            raise NotHeard(f"{what}: not heard in {within_s} s; last: {last}") from None


def _loud(heard: Heard) -> bool:
    return heard is not None and float(heard["db"]) > LOUD_DB


def _near(heard: Heard, hz: float) -> bool:
    return heard is not None and abs(float(heard["hz"]) - hz) <= hz * NEAR


@asynccontextmanager
async def browsing(
    address: str,
    folder: Path,
    *,
    tone_hz: float = 660.0,
    width: int = 1440,
    height: int = 900,
    language: str = "en",
    theme: str = "light",
) -> AsyncIterator[Person]:
    """A fresh Chromium whose microphone cries at `tone_hz`, closed at the end.

    The page starts in `language` and `theme` as the person's system would have them.
    """
    voice = folder / f"voice-{tone_hz:.0f}.wav"
    write_voice(voice, tone_hz)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(),
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={voice}"],
        )
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                locale=language,
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
                permissions=["microphone", "notifications"],
            )
            context.set_default_timeout(PATIENCE_MS)
            # What is looked for takes as long as what is done.
            expect.set_options(timeout=PATIENCE_MS)
            await context.add_init_script(path=EAR)
            person = Person(context, await context.new_page(), address.rstrip("/"))
            person.watch()
            yield person
        finally:
            await browser.close()


def chromium() -> str:
    """Where the machine's Chromium is; the test set-up installs it."""
    for name in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(name).exists():
            return name
    raise FileNotFoundError("Chromium is not installed: run tests/setup.sh")


def write_voice(path: Path, hz: float) -> None:
    """Ten cries of a tone as a WAV, which Chromium plays again and again."""
    frames = bytearray()
    for at in range(int(10 * (CRY_S + PAUSE_S) * RATE)):
        inside = (at / RATE) % (CRY_S + PAUSE_S) < CRY_S
        sample = 0.5 * math.sin(2 * math.pi * hz * at / RATE) if inside else 0.0
        frames += struct.pack("<h", int(sample * 32_767))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(frames))
