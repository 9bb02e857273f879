"""Make the sample media that the tests and the demo use: drawn pictures, synthetic speech, nobody's rights.

Run ``python tests/media/make_samples.py [FOLDER]``. It needs ``ffmpeg`` (with libx264, libvpx and libvorbis) and
``espeak-ng`` on the path, and numpy and Pillow. The same tools in the same versions give the same files.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Picture = np.ndarray[Any, Any]
Draw = Callable[[float], Image.Image]

TRANSCRIPTS = {
    "harbour_take3.mp4": (
        "The boat left the harbour before sunrise. Nobody on the pier saw it go. "
        "We will tell the captain when he comes back in the morning."
    ),
    "interview.mov": (
        "I have worked on this film for three years. The hardest part was the storm, because we only had one camera."
    ),
    "vfr_phone.mp4": "Hello, can you hear me? The train is late again, so please start without me.",
}
"""What is said in each clip, word for word."""

_EXACT = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
_H264 = ["-c:v", "libx264", "-preset", "slow", "-crf", "26", "-pix_fmt", "yuv420p", "-threads", "1"]
_AAC = ["-c:a", "aac", "-b:a", "64k", "-ar", "48000", "-ac", "1"]


def run(*arguments: str, stdin: bytes | None = None) -> None:
    """Run a program, or fail with its own words."""
    subprocess.run(arguments, input=stdin, check=True, stdout=subprocess.DEVNULL)


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg quietly, with one thread, so that results repeat."""
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *arguments)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that Pillow carries."""
    return ImageFont.load_default(size)


def speak(text: str, target: Path, voice: str, speed: int = 140) -> float:
    """Write *text* as speech; return its length in seconds."""
    run("espeak-ng", "-v", voice, "-s", str(speed), "-w", str(target), text)
    with wave.open(str(target)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def encode(target: Path, draw: Draw, seconds: float, rate: str, inputs: list[str], *options: str) -> None:
    """Draw *seconds* of frames at *rate* and pipe them into ffmpeg, with further *inputs* and *options*."""
    top, _, bottom = rate.partition("/")
    fps = int(top) / int(bottom or 1)
    width, height = draw(0.0).size
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", rate, "-i", "-", *inputs, *options, *_EXACT, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(round(seconds * fps)):
            process.stdin.write(draw(number / fps).tobytes())
        process.stdin.close()
        if process.wait():
            raise RuntimeError(f"ffmpeg could not make {target.name}")


def gradient(width: int, height: int, top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Image.Image:
    """Return a picture that fades from *top* to *bottom*."""
    share = np.linspace(0.0, 1.0, height)[:, None, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(np.broadcast_to(rows, (height, width, 3)).round().astype(np.uint8))


def slate(width: int, height: int, lines: tuple[str, ...]) -> Image.Image:
    """Return a clapper board's face."""
    picture = Image.new("RGB", (width, height), (18, 18, 20))
    draw = ImageDraw.Draw(picture)
    stripe = width // 10
    for x in range(-stripe, width + stripe, 2 * stripe):
        draw.polygon([(x, 0), (x + stripe, 0), (x + stripe // 2, 60), (x - stripe // 2, 60)], fill=(235, 235, 235))
    for row, line in enumerate(lines):
        draw.text((50, 95 + row * 82), line, font=font(58), fill=(245, 245, 245))
    return picture


def sea(width: int, height: int, time: float, *, dusk: bool) -> Image.Image:
    """Return a harbour: by day with a blue sky, at dusk in orange and closer."""
    sky = ((250, 170, 90), (245, 120, 60)) if dusk else ((90, 150, 225), (200, 225, 245))
    water = ((150, 60, 45), (50, 20, 40)) if dusk else ((40, 110, 150), (12, 50, 85))
    horizon = int(height * (0.62 if dusk else 0.5))
    picture = gradient(width, height, *sky)
    draw = ImageDraw.Draw(picture)
    size = 70 if dusk else 26
    draw.ellipse(
        (width * 0.7 - size, horizon - size * 1.3, width * 0.7 + size, horizon + size * 0.7), fill=(255, 240, 190)
    )
    picture.paste(gradient(width, height - horizon, *water), (0, horizon))
    for row in range(horizon + 8, height, 14):
        shift = (time * 40 * (row - horizon) / height + row * 37) % 90
        for x in range(-90, width, 90):
            draw.line((x + shift, row, x + shift + 34, row), fill=tuple(min(255, c + 50) for c in water[0]), width=2)
    boat(draw, width * 0.15 + time * (22 if dusk else 45), horizon + (30 if dusk else 14), 3.2 if dusk else 1.2)
    return picture


def boat(draw: ImageDraw.ImageDraw, x: float, y: float, scale: float) -> None:
    """Draw a small sailing boat on the water line *y*."""

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + scale * px, y + scale * py) for px, py in points]

    draw.polygon(at((0, 0), (50, 0), (42, 12), (8, 12)), fill=(70, 40, 25))
    draw.polygon(at((24, -2), (24, -48), (46, -6)), fill=(245, 245, 240))
    draw.polygon(at((22, -2), (22, -40), (6, -6)), fill=(225, 60, 50))


def harbour(time: float) -> Image.Image:
    """Cut three shots: a slate, the harbour by day, the boat at dusk."""
    if time < 2.0:
        return slate(640, 360, ("SCENE 12", "TAKE 3", "HARBOUR"))
    return sea(640, 360, time - 2.0, dusk=False) if time < 7.0 else sea(640, 360, time - 7.0, dusk=True)


def portrait(time: float) -> Image.Image:
    """Return a talking head, stored lying on its side as a telephone held upright stores it."""
    picture = gradient(360, 640, (60, 75, 70), (25, 30, 35))
    draw = ImageDraw.Draw(picture)
    sway = 4 * np.sin(time * 1.3)
    draw.ellipse((40, 430, 320, 800), fill=(45, 60, 120))
    draw.ellipse((100 + sway, 170, 260 + sway, 400), fill=(225, 180, 150))
    draw.pieslice((92 + sway, 150, 268 + sway, 350), 180, 360, fill=(60, 35, 25))
    for x in (145, 215):
        draw.ellipse((x - 9 + sway, 275, x + 9 + sway, 289), fill=(30, 30, 30))
    mouth = 6 + 8 * abs(np.sin(time * 9))
    draw.ellipse((155 + sway, 345 - mouth, 205 + sway, 345 + mouth), fill=(140, 40, 45))
    return picture.transpose(Image.Transpose.ROTATE_90)


def hills() -> Image.Image:
    """Return a wide green landscape to pan over."""
    width, height = 1600, 360
    picture = gradient(width, height, (170, 205, 235), (235, 240, 225))
    draw = ImageDraw.Draw(picture)
    x = np.arange(width)
    for layer, color in enumerate(((120, 150, 130), (80, 130, 80), (45, 100, 45))):
        ridge = 170 + 60 * layer + 28 * np.sin(x / (170 - 40 * layer) + layer * 2) + 12 * np.sin(x / 37 + layer)
        draw.polygon([(0, height), *zip(x.tolist(), ridge.tolist(), strict=True), (width, height)], fill=color)
    for tree in range(40, width, 130):
        draw.rectangle((tree, 270, tree + 8, 320), fill=(80, 55, 35))
        draw.ellipse((tree - 26, 205, tree + 34, 285), fill=(30, 85 + tree % 40, 40))
    return picture


def pan(width: int, height: int, pixels_per_second: float) -> Draw:
    """Return a drawer that moves a window over the hills."""
    wide = hills()

    def draw(time: float) -> Image.Image:
        left = round(time * pixels_per_second)
        return wide.crop((left, 0, left + width * 360 // height, 360)).resize((width, height))

    return draw


def ball(time: float) -> Image.Image:
    """Return a plate of 320 x 180: a red ball over a grey floor."""
    picture = gradient(320, 180, (40, 40, 48), (120, 120, 125))
    x = 40 + time * 500
    ImageDraw.Draw(picture).ellipse((x, 80, x + 50, 130), fill=(210, 40, 40))
    return picture


def chords(rate: int = 44100) -> Iterator[Picture]:
    """Give four bars of chords as 16-bit stereo samples."""
    time = np.arange(3 * rate) / rate
    swell = np.minimum(1, time * 3) * np.minimum(1, (3 - time) * 3)
    for notes in ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (261.6, 329.6, 392.0)):
        tones = sum(np.sin(2 * np.pi * f * k * time) / k**2 for f in (*notes, notes[0] / 2) for k in (1, 2, 3, 4))
        beat = np.exp(-8 * (time % 0.5)) * np.sin(2 * np.pi * 80 * (time % 0.5))
        left = swell * tones * 0.12 + 0.3 * beat
        yield (np.stack([left, np.roll(left, 300)], 1).clip(-1, 1) * 32767).astype("<i2")


def write_wave(target: Path, samples: Picture, rate: int) -> None:
    """Write 16-bit samples, one column per channel."""
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(samples.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())


def make_talking_clips(out: Path, work: Path) -> None:
    """Make the three clips with speech."""
    speech = work / "speech.wav"
    delayed = ["-af", "adelay=2300:all=1,apad", "-shortest"]
    length = 2.3 + speak(TRANSCRIPTS["harbour_take3.mp4"], speech, "en-us") + 0.8
    encode(out / "harbour_take3.mp4", harbour, length, "24", ["-i", str(speech)], *delayed, *_H264, *_AAC)

    length = 0.5 + speak(TRANSCRIPTS["interview.mov"], speech, "en-us+f3") + 0.6
    options = ["-af", "adelay=500:all=1,apad", "-shortest"]
    flat = work / "flat.mov"
    encode(flat, portrait, length, "30000/1001", ["-i", str(speech)], *options, *_H264, *_AAC)
    # Copying streams writes the turn into the movie header, counted against the clock.
    turned = ["-c", "copy", "-map", "0:v", "-map", "0:a", "-timecode", "01:00:00:00", *_EXACT]
    ffmpeg("-i", str(flat), *turned, "-metadata:s:v:0", "rotate=270", str(out / "interview.mov"))

    length = 0.4 + speak(TRANSCRIPTS["vfr_phone.mp4"], speech, "en-us+m3") + 0.6
    # Frames come 20 to 80 ms apart, as from a telephone in poor light.
    uneven = ["-vf", "setpts=PTS+0.016*sin(N*1.7)/TB+0.012*sin(N*0.31)/TB", "-vsync", "vfr"]
    uneven += ["-enc_time_base", "1/1000", "-video_track_timescale", "90000"]
    options = ["-af", "adelay=400:all=1,apad", "-shortest", *uneven]
    encode(out / "vfr_phone.mp4", pan(480, 270, 60), length, "24", ["-i", str(speech)], *options, *_H264, *_AAC)


def make_other_clips(out: Path, work: Path) -> None:
    """Make the clips without speech."""
    encode(out / "silent_pan.mp4", pan(640, 360, 120), 6, "25", [], "-an", *_H264)
    encode(out / "one_frame.mp4", harbour, 1 / 24, "24", [], "-an", *_H264)
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=3"]
    vp9 = [
        "-c:v",
        "libvpx-vp9",
        "-crf",
        "40",
        "-b:v",
        "0",
        "-pix_fmt",
        "yuv420p",
        "-threads",
        "1",
        "-c:a",
        "libopus",
        "-b:a",
        "32k",
    ]
    encode(out / "odd_size.mkv", pan(321, 241, 90), 3, "25", tone, "-shortest", *vp9)

    noise = np.random.default_rng(12).normal(0, 12, (5 * 16000, 1)).astype("<i2")
    write_wave(out / "room_tone.wav", noise, 16000)
    write_wave(work / "music.wav", np.concatenate(list(chords())), 44100)
    vorbis = ["-c:a", "libvorbis", "-q:a", "2", "-serial_offset", "12"]
    ffmpeg("-i", str(work / "music.wav"), *vorbis, *_EXACT, str(out / "music_bed.ogg"))


def make_stills(out: Path) -> None:
    """Make the stills and the image sequence."""
    ffmpeg("-f", "lavfi", "-i", "smptehdbars=size=1280x720", "-frames:v", "1", *_EXACT, str(out / "still_bars.png"))
    exif = Image.Exif()
    exif[274] = 6  # orientation: turn 90 degrees clockwise to show
    exif[271], exif[272] = "Callboard", "Sample camera"
    lying = sea(960, 640, 3.0, dusk=True).transpose(Image.Transpose.ROTATE_90)
    lying.save(out / "still_photo.jpg", quality=80, exif=exif)
    plate = out / "plate"
    plate.mkdir(exist_ok=True)
    for number in range(8):
        if number != 4:  # one frame is missing, as after a failed render
            ball(number / 24).save(plate / f"plate.{1001 + number}.png", optimize=True)


def main(out: Path) -> None:
    """Make every sample in the folder *out*."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        make_talking_clips(out, Path(work))
        make_other_clips(out, Path(work))
    make_stills(out)
    text = json.dumps(TRANSCRIPTS, indent=2, ensure_ascii=False)
    (out / "transcripts.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
