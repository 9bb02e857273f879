"""Frames, seconds and timecode: a timeline counts from its start frame, which is seldom zero."""

NTSC = 1000.0 / 1001.0


def rate_of(text: object) -> float:
    """Read a frame rate as Resolve writes it: ``24``, ``23.976``, ``29.97 DF``; 0.0 where it is none.

    Rates that are written as 23.976, 29.97, 47.952, 59.94 or 119.88 are the exact fractions of 1001.
    """
    try:
        rate = float(str(text).split()[0])
    except (ValueError, IndexError):
        return 0.0
    if not 0.0 < rate < 1000.0:
        return 0.0
    nominal = float(round(rate))
    exact = nominal * NTSC
    # 23.976 and 23.98 are both written for 24000/1001; whole rates are further away than that
    return exact if rate != nominal and abs(rate - exact) < 0.01 else rate


def frames(seconds: float, rate: float) -> int:
    """Give the frame nearest to a time; always an ``int``, since a fraction makes Resolve 21 refuse a whole list."""
    return round(seconds * rate)


def seconds(count: float, rate: float) -> float:
    """Give the time of a frame."""
    return count / rate if rate else 0.0


def timecode(frame: int, rate: float, drop: bool = False) -> str:
    """Write an absolute frame as people read it in the application: ``01:00:02:12``; ``;`` last where frames drop."""
    base = max(1, round(rate))
    if drop:
        lost = base // 15
        block, rest = divmod(frame, base * 600 - 9 * lost)
        skipped = 9 * lost * block
        if rest >= base * 60:
            skipped += lost * ((rest - lost) // (base * 60 - lost))
        frame += skipped
    whole, frame = divmod(frame, base)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return "{:02d}:{:02d}:{:02d}{}{:02d}".format(hour, minute, second, ";" if drop else ":", frame)


def frame_of(text: str, rate: float) -> int:
    """Read a timecode as an absolute frame, dropped frames where it has a ``;``.

    Raises:
        ValueError: it is no timecode.
    """
    base = max(1, round(rate))
    parts = text.replace(";", ":").split(":")
    if len(parts) != 4:
        raise ValueError(f"no timecode: {text!r}")
    hour, minute, second, frame = (int(part) for part in parts)
    minutes = hour * 60 + minute
    count = (minutes * 60 + second) * base + frame
    return count - (base // 15) * (minutes - minutes // 10) if ";" in text else count
