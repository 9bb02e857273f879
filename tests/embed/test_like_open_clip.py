"""Tokens and pictures are the same as open_clip's own, which is asked here."""

from __future__ import annotations

import io
import itertools
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from callboard.embed.pictures import CLIP_MEAN, CLIP_STD, Preparation, fit, prepare
from callboard.embed.tokens import ClipTokens, FileTokens, padded
from PIL import Image

LEVEL = 1 / 255
"""One step of an 8-bit pixel."""
NASTY = [
    "",
    " ",
    "hello world",
    "A  PHOTO\tof a dog's tail,\n it's y'all they've I'LL we're",
    "don’t “quote” ﬁne ligatures…",
    "&amp;lt;b&amp;gt; &eacute; &#x1F3AC; &unknown; &amp",
    "Ã©tÃ© and cafÃ© and â€œmojibakeâ€\x9d",
    "🎬🎥 👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 #️⃣",
    "日本語のテキスト 映画 カメラ ﾊﾝｶｸ",
    "مرحبا بالعالم עברית ไทย न\u093cमस्ते",
    "<start_of_text> x <end_of_text>",
    "<START_OF_TEXT><end_of_text",
    "x" * 500,
    "word " * 300,
    "\x00\x07 \x1b[31mred\x1b[0m \x85 \x1c \u2028",
    "123,456.78 ½ ² ⅷ ٣",
    "ｆｕｌｌｗｉｄｔｈ",
    "a\u200bb \ufeff c\u00ad",
    "İstanbul ẞ ŉ ǅ Σας",
    "'s 't're ''' `` ´",
    "___ -- !!! ... @#$%^&*()",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U00031350\U000323af",
    "e\u0301 é \u0301",
    "C:\\footage\\A001_C003_0512.mov",
    "\ue000 \ufffd \U0010ffff",
    "\ud800 half a pair",
]


@pytest.fixture(scope="session")
def open_clip() -> ModuleType:
    """open_clip itself."""
    from callboard.runtime.engines.vision import import_open_clip

    return import_open_clip()


@pytest.fixture(scope="session")
def vocabulary(open_clip: ModuleType) -> bytes:
    """The vocabulary file that open_clip carries."""
    return Path(open_clip.__file__ or "").with_name("bpe_simple_vocab_16e6.txt.gz").read_bytes()


def many_texts() -> list[str]:
    """The nasty ones, lines of prose, and twelve hundred of random letters from all over Unicode."""
    draw = random.Random(20)
    ranges = [(0x20, 0x7F), (0x20, 0x250), (0x20, 0x3000), (0x3000, 0xD800), (0xE000, 0x110000)]
    texts = list(NASTY)
    for _ in range(1200):
        text = "".join(chr(draw.randrange(*draw.choice(ranges[: draw.randrange(1, 6)]))) for _ in range(30))
        texts.append(text[: draw.randrange(1, 30)])
    return texts + [line for line in (Path(__file__).read_text("utf-8")).splitlines() if line]


@pytest.mark.parametrize(("clean", "context"), [("lower", 77), ("whitespace", 16), ("canonicalize", 77)])
def test_tokens_are_identical(open_clip: ModuleType, vocabulary: bytes, clean: str, context: int) -> None:
    """Every text has open_clip's ids, whatever is in it, however long, and however texts are cleaned."""
    texts = many_texts()
    theirs = open_clip.tokenizer.SimpleTokenizer(clean=clean, context_length=context)(texts).numpy()
    ours = padded([ids for ids, _ in ClipTokens(vocabulary, context, clean).encode(texts)], 0, context)
    different = [text for text, one, other in zip(texts, theirs, ours, strict=True) if (one != other).any()]
    assert different == []
    assert len({tuple(row) for row in ours.tolist()}) > 1000


def test_a_file_tokenizer_is_identical_to_transformers(tmp_path: Path) -> None:
    """A ``tokenizer.json`` gives the ids, types and cuts that transformers gives with it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast as Theirs

    fast: Any = Theirs  # an untyped library

    words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "red", "lamp", "##s", "hall", "in", "the"]
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    made.enable_padding(length=64)
    made.save(str(tmp_path / "tokenizer.json"))
    texts = ["Red lamps in the hall", "", "the " * 40, "a lamp"]
    theirs = fast(tokenizer_file=str(tmp_path / "tokenizer.json"), pad_token="[PAD]")(
        texts, padding="max_length", truncation=True, max_length=12
    )
    ours = FileTokens((tmp_path / "tokenizer.json").read_bytes(), 12).encode(texts)
    assert padded([ids for ids, _ in ours], 0, 12).tolist() == theirs["input_ids"]
    assert padded([[1] * len(ids) for ids, _ in ours], 0, 12).tolist() == theirs["attention_mask"]
    blank = FileTokens((tmp_path / "tokenizer.json").read_bytes(), 12, blank=2).encode(texts)
    assert [ids for ids, _ in blank] == [[0 if number == 2 else number for number in ids] for ids, _ in ours]


def noise(height: int, width: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """A picture with something at every scale, the finer the less, as in nature."""
    draw = np.random.default_rng(seed)
    mixed = np.full((height, width, 3), 128.0)
    for side in (3, 12, 48, 200, 800):
        small = Image.fromarray((draw.random((side, side, 3)) * 255).astype(np.uint8))
        part = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float)
        mixed += (part - 128) * 1.5 / side**0.5
        if side > max(height, width):
            break
    picture: np.ndarray[Any, Any] = np.clip(mixed, 0, 255).astype(np.uint8)
    return picture


SIZES = [(224, 224), (1, 1), (1, 60), (90, 2), (223, 225), (448, 224), (225, 997), (720, 1280), (37, 41), (641, 480)]


@pytest.mark.parametrize("resize", ["shortest", "longest", "squash"])
@pytest.mark.parametrize(("size", "interpolation"), [((224, 224), "bicubic"), ((96, 160), "bilinear")])
def test_pictures_are_identical(open_clip: ModuleType, resize: str, size: tuple[int, int], interpolation: str) -> None:
    """A picture of any size is prepared as open_clip and torchvision do it, far within one level of a pixel."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    square = size[0] == size[1]
    theirs: Any = image_transform_v2(
        PreprocessCfg(size=size[0] if square else size, resize_mode=resize, interpolation=interpolation, fill_color=7),
        is_train=False,
    )
    ours = Preparation(size, resize=resize, interpolation=interpolation, fill=7)  # type: ignore[arg-type]  # of Literals
    for height, width in SIZES:
        pixels = noise(height, width)
        if resize == "shortest" and max(height, width) > 100 * min(height, width):
            continue  # hundreds of megapixels on the way, there as here
        if resize == "longest" and max(height, width) > 2 * max(size) * min(height, width):
            continue  # a side of nothing, there as here
        expected = theirs(Image.fromarray(pixels)).numpy()
        assert np.abs(prepare([pixels], ours)[0] - expected).max() < LEVEL / 1000, (height, width)


def test_many_sizes_are_cropped_at_the_same_pixel(open_clip: ModuleType) -> None:
    """Odd and even sizes around the target: rounding goes the same way everywhere."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    theirs: Any = image_transform_v2(PreprocessCfg(size=32), is_train=False)
    ours = Preparation((32, 32))
    for height, width in itertools.product(range(29, 40), range(29, 75, 3)):
        pixels = noise(height, width, height * width)
        expected = theirs(Image.fromarray(pixels)).numpy()
        assert np.abs(prepare([pixels], ours)[0] - expected).max() < LEVEL / 1000, (height, width)


@pytest.mark.parametrize(("height", "width", "mean"), [(1500, 2000, 0.5), (901, 1603, 4.0)])
def test_scaled_decoding_of_a_jpeg_is_near(height: int, width: int, mean: float) -> None:
    """A JPEG that is decoded at a fraction of its size, still twice the target, gives nearly the same picture.

    Half a level off on average; where the fraction cuts through a pixel the picture also moves by part of one, which
    shows at edges.
    """
    data = io.BytesIO()
    Image.fromarray(noise(height, width)).save(data, "JPEG", quality=90)
    how = Preparation((224, 224), CLIP_MEAN, CLIP_STD)
    whole = fit(np.asarray(Image.open(data).convert("RGB")), how).astype(int)
    opened = Image.open(data)
    opened.draft("RGB", (width * 448 // min(height, width), 448))
    assert min(opened.size) < min(height, width)
    off = np.abs(fit(np.asarray(opened.convert("RGB")), how).astype(int) - whole)
    assert off.mean() <= mean
    assert off.max() <= 20 * mean
