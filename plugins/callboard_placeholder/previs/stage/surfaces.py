"""Materials and light: matt surfaces under one key light, lit from all around by rule, so that few rays do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from . import head
from .inside import bpy

Light = Mapping[str, Any]


class Surfaces:
    """Materials of a scene, each made once."""

    def __init__(self, light: Light) -> None:
        """Make them for a light: what comes from above and from below is part of each."""
        self._above, self._below = light["above"], light["below"]
        self._made: dict[tuple[object, ...], Any] = {}

    def plain(self, name: str, colour: Sequence[float]) -> Any:
        """Give the material of a colour, linear RGB."""
        key = ("plain", *colour)
        if key not in self._made:
            self._made[key] = self._matt(name, colour, None)
        return self._made[key]

    def face(self, skin: Sequence[float], hair: Sequence[float]) -> Any:
        """Give the material of a painted face."""
        key = ("face", *skin, *hair)
        if key not in self._made:
            self._made[key] = self._matt("Face", skin, _painting(skin, hair))
        return self._made[key]

    def _matt(self, name: str, colour: Sequence[float], image: Any) -> Any:
        """Join what the key light gives with what comes from all around, by how far a surface looks up."""
        material = bpy.data.materials.new(name)
        material.use_nodes = True
        material.diffuse_color = (*colour, 1.0)
        _no_lamp(material)
        tree = material.node_tree
        tree.nodes.clear()
        make, link = tree.nodes.new, tree.links.new
        out, joined = make("ShaderNodeOutputMaterial"), make("ShaderNodeAddShader")
        matt, glow = make("ShaderNodeBsdfDiffuse"), make("ShaderNodeEmission")
        geometry, parts, half = make("ShaderNodeNewGeometry"), make("ShaderNodeSeparateXYZ"), make("ShaderNodeMapRange")
        around, times = make("ShaderNodeValToRGB"), make("ShaderNodeVectorMath")
        half.inputs["From Min"].default_value = -1.0
        around.color_ramp.elements[0].color = (*self._below, 1.0)
        around.color_ramp.elements[1].color = (*self._above, 1.0)
        times.operation = "MULTIPLY"
        matt.inputs["Color"].default_value = (*colour, 1.0)
        times.inputs[1].default_value = tuple(colour)
        if image is not None:
            painted = make("ShaderNodeTexImage")
            painted.image = image
            link(painted.outputs["Color"], matt.inputs["Color"])
            link(painted.outputs["Color"], times.inputs[1])
        link(geometry.outputs["Normal"], parts.inputs[0])
        link(parts.outputs["Z"], half.inputs["Value"])
        link(half.outputs["Result"], around.inputs["Fac"])
        link(around.outputs["Color"], times.inputs[0])
        link(times.outputs["Vector"], glow.inputs["Color"])
        link(matt.outputs[0], joined.inputs[0])
        link(glow.outputs[0], joined.inputs[1])
        link(joined.outputs[0], out.inputs["Surface"])
        for place, node in enumerate(tree.nodes):
            node.location = (220.0 * (place % 4), -240.0 * (place // 4))
        return material


def _no_lamp(material: Any) -> None:
    """Keep a surface from being looked for as a source of light: its glow stands for light that falls on it."""
    if hasattr(material.cycles, "emission_sampling"):
        material.cycles.emission_sampling = "NONE"
    else:  # before Blender 3.5
        material.cycles.sample_as_light = False


def _painting(skin: Sequence[float], hair: Sequence[float]) -> Any:
    image = bpy.data.images.new("Face", head.SIDE, head.SIDE, float_buffer=True)
    known = image.colorspace_settings.bl_rna.properties["name"].enum_items.keys()
    image.colorspace_settings.name = next(name for name in ("Linear Rec.709", "Linear", "Non-Color") if name in known)
    image.pixels.foreach_set(list(head.paint((skin[0], skin[1], skin[2]), (hair[0], hair[1], hair[2]))))
    image.update()
    image.pack()
    return image


def light(told: Light, collection: Any) -> None:
    """Put up the key light and the sky."""
    lamp = bpy.data.lights.new("Key light", "SUN")
    lamp.color, lamp.energy, lamp.angle = told["sun"], told["strength"], 0.0  # a point: its shadows have no noise
    key = bpy.data.objects.new("Key light", lamp)
    key.rotation_euler = (math.radians(90.0 - told["high"]), 0.0, math.radians(told["side"]))
    key.location = (3.0, -3.0, 6.0)
    collection.objects.link(key)
    world = bpy.data.worlds.new("Sky")
    world.use_nodes = True
    world.color = told["horizon"]
    tree = world.node_tree
    make, link = tree.nodes.new, tree.links.new
    where, parts, ramp = make("ShaderNodeTexCoord"), make("ShaderNodeSeparateXYZ"), make("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].color = (*told["horizon"], 1.0)
    ramp.color_ramp.elements[1].color = (*told["zenith"], 1.0)
    ramp.color_ramp.elements[1].position = 0.55
    link(where.outputs["Generated"], parts.inputs[0])
    link(parts.outputs["Z"], ramp.inputs["Fac"])
    link(ramp.outputs["Color"], tree.nodes["Background"].inputs["Color"])
    # The sky is seen and lights nothing: materials say what comes from all around.
    world.cycles_visibility.diffuse = world.cycles_visibility.glossy = False
    world.cycles.sampling_method = "NONE"
    bpy.context.scene.world = world
