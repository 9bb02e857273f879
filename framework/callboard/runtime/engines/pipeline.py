"""A diffusers pipeline out of a folder of verified files: safetensors alone, nothing fetched, no code of the folder."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import ModelMissing
from callboard.packs import Pack
from callboard.packs.packfile import CARRIES_CODE
from callboard.runtime.engines.vision import import_transformers

if TYPE_CHECKING:
    import torch

INDEX: Final = "model_index.json"
_CHECKER: Final = "StableDiffusionSafetyChecker"
_LIBRARIES: Final = ("diffusers", "transformers")


def import_diffusers() -> ModuleType:
    """Import diffusers, without what it says to programmers.

    Raises:
        ImportError: it, transformers or torch is not installed.
    """
    transformers: Any = import_transformers()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import diffusers
        from diffusers.pipelines import auto_pipeline  # noqa: F401 - imports late what else warns in the first call

    for logs in (transformers.utils.logging, diffusers.utils.logging):
        logs.set_verbosity(logs.CRITICAL)  # what goes wrong is raised
        logs.disable_progress_bar()
    return diffusers


def load_pipeline(pack: Pack, private: Path, dtype: torch.dtype, device: str) -> Any:
    """Load the pipeline that ``model_index.json`` in *private* describes.

    ``options.variant`` names a set of weights (``fp16``), ``options.scheduler`` another scheduler of diffusers.

    Raises:
        ModelMissing: a file could carry code, or the files are no whole pipeline that makes pictures of text.
    """
    refuse_code(pack)
    diffusers: Any = import_diffusers()
    index = _index(pack, private)
    kind = _kind(pack, index, diffusers)
    parts = dict(_parts(pack, private, index, kind, dtype, diffusers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = kind.from_pretrained(str(private), local_files_only=True, torch_dtype=dtype, **parts, **_unchecked(kind))
    pipe.set_progress_bar_config(disable=True)
    named = pack.options.get("scheduler")
    if named is not None:
        scheduler: Any = getattr(diffusers, str(named), None)
        known = isinstance(scheduler, type) and issubclass(scheduler, diffusers.SchedulerMixin)
        if not known:
            raise _wrong(pack, f"diffusers has no scheduler {named!r}")
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
    return pipe.to(device)


def refuse_code(pack: Pack) -> None:
    """Take no pickle.

    Raises:
        ModelMissing: the pack has one.
    """
    # Never, whatever a person allowed: every pipeline that is worth having is published as safetensors too.
    for file in pack.files:
        if PurePosixPath(file.path).suffix.lower() in CARRIES_CODE["torch"]:
            raise _wrong(pack, f"{file.path} is a pickle; pipelines are loaded from safetensors alone")


def _index(pack: Pack, private: Path) -> dict[str, Any]:
    try:
        index = json.loads((private / INDEX).read_bytes())
    except (OSError, ValueError) as error:
        raise _wrong(pack, f"{INDEX} cannot be read ({error})") from None
    if not isinstance(index, dict):
        raise _wrong(pack, f"{INDEX} is no table")
    return index


def _kind(pack: Pack, index: Mapping[str, Any], diffusers: Any) -> Any:
    """Give the pipeline's class: one of diffusers' own that make pictures of text."""
    from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING as KNOWN

    name = index.get("_class_name")
    if not isinstance(name, str) or name not in {
        kind.__name__ for kind in KNOWN.values()
    }:  # a list names a file of code
        raise _wrong(pack, f"{INDEX} names {name!r}, which is no pipeline of diffusers that makes pictures of text")
    return getattr(diffusers, name)


def _parts(
    pack: Pack, private: Path, index: Mapping[str, Any], kind: Any, dtype: torch.dtype, diffusers: Any
) -> Iterator[tuple[str, Any]]:
    """Load each network of the pipeline, whole; tokenizers and schedulers are left to the pipeline."""
    transformers: Any = import_transformers()
    named = {name: given for name, given in index.items() if isinstance(given, list) and not name.startswith("_")}
    for name, given in named.items():
        if given[:1] == [None]:
            continue
        if not any(file.path.startswith(f"{name}/") for file in pack.files):
            if name not in kind._optional_components:  # noqa: SLF001 - diffusers tells nowhere else what may be left out
                raise _wrong(pack, f"{INDEX} names a part {name!r}, of which the pack has no file")
            yield name, None
            continue
        part = _class(pack, name, given)
        if isinstance(part, type) and issubclass(part, diffusers.ModelMixin | transformers.PreTrainedModel):
            yield name, load_network(pack, private / name, part, dtype, diffusers)


def _class(pack: Pack, name: str, given: list[Any]) -> Any:
    library, wanted = (str(each) for each in (*given, "", "")[:2])
    if (library, wanted) == ("stable_diffusion", _CHECKER):
        from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

        return StableDiffusionSafetyChecker
    found = None
    if library in _LIBRARIES:
        found = getattr(import_transformers() if library == "transformers" else import_diffusers(), wanted, None)
    if found is None:
        raise _wrong(pack, f"the part {name!r} wants {library}.{wanted}, which is not of diffusers or transformers")
    return found


def load_network(pack: Pack, folder: Path, kind: Any, dtype: torch.dtype, diffusers: Any) -> Any:
    """Load one network, whole, from safetensors in *folder*.

    Raises:
        ModelMissing: the files lack some of its weights.
    """
    own = issubclass(kind, diffusers.ModelMixin)
    types = {"torch_dtype": dtype, "low_cpu_mem_usage": False} if own else {"dtype": dtype}
    variant = pack.options.get("variant")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, info = kind.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **types,
            **({"variant": str(variant)} if variant else {}),
        )
    # Both libraries fill what the files lack with random numbers and go on.
    lacking = sorted(map(str, (*info["missing_keys"], *info["mismatched_keys"])))
    if lacking:
        named = folder.name if any(file.path.startswith(f"{folder.name}/") for file in pack.files) else pack.name
        raise _wrong(pack, f"{named} lacks {len(lacking)} weights, such as {lacking[0]}")
    return model.eval().requires_grad_(requires_grad=False)


def _unchecked(kind: Any) -> dict[str, Any]:
    """Have a pipeline without its checker be taken as it is; that none ran is said of each picture."""
    return {"requires_safety_checker": False} if "safety_checker" in kind._optional_components else {}  # noqa: SLF001 - as above


def _wrong(pack: Pack, problem: str) -> ModelMissing:
    return ModelMissing(pack.name, problem, f"Mend {pack.origin}.")


__all__ = ["INDEX", "import_diffusers", "load_network", "load_pipeline", "refuse_code"]
