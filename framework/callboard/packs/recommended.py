"""Public checkpoints that are known to be of use, for ``callboard models add-hub --recommended``."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Suggestion(Struct, frozen=True, kw_only=True):
    """A public checkpoint that is known to be of use; what is said of it is from its own page, and may have changed."""

    repository: str
    size: str
    license: str
    note: str
    task: str = "look"
    """``look`` for pictures and search, ``translate``, ``hear`` for captions, ``draw`` for placeholders."""


RECOMMENDED: Final = (
    Suggestion(
        repository="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        size="small",
        license="MIT",
        note="ViT-B/32, English; fast on a processor. Its page calls it a research output.",
    ),
    Suggestion(
        repository="timm/ViT-B-16-SigLIP",
        size="small",
        license="Apache-2.0",
        note="ViT-B/16 trained with a sigmoid, English; four times the work of ViT-B/32 for a picture.",
    ),
    Suggestion(
        repository="laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
        size="medium",
        license="MIT",
        note="ViT-L/14, 428 million weights, English; wants a graphics card. Its page calls it a research output.",
    ),
    Suggestion(
        repository="OZU-Technology/CinemaCLIP",
        size="film-trained",
        license="not known here",
        note="Trained on the language of film. Read its licence on its page first; it may not be in open_clip's form.",
    ),
    Suggestion(
        repository="gaudi/opus-mt-en-es-ctranslate2",
        size="small",
        license="CC-BY-4.0 or Apache-2.0, by pair",
        note="OPUS-MT for one pair in CTranslate2's form; others are named alike. Look whom you trust to convert it.",
        task="translate",
    ),
    Suggestion(
        repository="entai2965/m2m100-418M-ctranslate2",
        size="medium",
        license="MIT",
        note="M2M100: 100 languages in any direction, in CTranslate2's form.",
        task="translate",
    ),
    Suggestion(
        repository="entai2965/nllb-200-distilled-600M-ctranslate2",
        size="medium",
        license="CC-BY-NC-4.0",
        note="NLLB: 200 languages. NOT for commercial work: its licence forbids it.",
        task="translate",
    ),
    Suggestion(
        repository="Systran/faster-whisper-tiny",
        size="small",
        license="MIT",
        note="Whisper tiny, 99 languages; a first draft.",
        task="hear",
    ),
    Suggestion(
        repository="Systran/faster-whisper-base",
        size="small",
        license="MIT",
        note="Whisper base, 99 languages.",
        task="hear",
    ),
    Suggestion(
        repository="Systran/faster-whisper-small",
        size="medium",
        license="MIT",
        note="Whisper small, 99 languages; good captions on a processor, at some patience.",
        task="hear",
    ),
    Suggestion(
        repository="Systran/faster-whisper-medium",
        size="large",
        license="MIT",
        note="Whisper medium, 99 languages; wants a graphics card.",
        task="hear",
    ),
    Suggestion(
        repository="mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        size="large",
        license="MIT",
        note="Whisper large-v3-turbo; best, wants a graphics card.",
        task="hear",
    ),
    Suggestion(
        repository="SimianLuo/LCM_Dreamshaper_v7",
        size="medium",
        license="MIT",
        note="Stable Diffusion 1.5 distilled to four steps; drafts on a processor, at some patience.",
        task="draw",
    ),
    Suggestion(
        repository="stable-diffusion-v1-5/stable-diffusion-v1-5",
        size="medium",
        license="CreativeML OpenRAIL-M",
        note="Stable Diffusion 1.5, 30 steps. Any work, but for the uses that its licence lists; ControlNets fit it.",
        task="draw",
    ),
    Suggestion(
        repository="lllyasviel/control_v11p_sd15_openpose",
        size="medium",
        license="OpenRAIL",
        note="ControlNet: a Stable Diffusion 1.5 keeps to the poses of a previs. Any work, but for listed uses.",
        task="draw",
    ),
    Suggestion(
        repository="lllyasviel/control_v11f1p_sd15_depth",
        size="medium",
        license="OpenRAIL",
        note="ControlNet: a Stable Diffusion 1.5 keeps to the depth of a previs. Any work, but for listed uses.",
        task="draw",
    ),
    Suggestion(
        repository="stabilityai/stable-diffusion-xl-base-1.0",
        size="large",
        license="CreativeML OpenRAIL++-M",
        note="SDXL, 30 steps at 1024 pixels; wants a graphics card. Any work, but for the uses that its licence lists.",
        task="draw",
    ),
    Suggestion(
        repository="stabilityai/sd-turbo",
        size="medium",
        license="sai-nc-community",
        note="SD-Turbo, one to four steps at 512 pixels. NOT for commercial work: its licence forbids it.",
        task="draw",
    ),
    Suggestion(
        repository="stabilityai/sdxl-turbo",
        size="large",
        license="sai-nc-community",
        note="SDXL-Turbo, one to four steps; wants a graphics card. NOT for commercial work: its licence forbids it.",
        task="draw",
    ),
)


__all__ = ["RECOMMENDED", "Suggestion"]
