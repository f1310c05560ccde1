"""A frozen module that computes the output of any of its layers from pixels."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.batches import Shapes
from ldam_studio.networks.anatomy.class_values import ClassValue, forward_pass_for
from ldam_studio.networks.anatomy.folding import Folded, Norms, fold
from ldam_studio.networks.anatomy.layers import Layer, noting, output_at, outputs_at
from ldam_studio.networks.anatomy.listing import Layers, list_layers
from ldam_studio.networks.anatomy.units import Units, units_of
from ldam_studio.networks.behaviour.behaviour import Behaviour, Passes, Run
from ldam_studio.networks.behaviour.finding import prepare_and_find
from ldam_studio.networks.behaviour.images import Images
from ldam_studio.networks.behaviour.randomness import alone
from ldam_studio.networks.copying import copied, sharing
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.plan import FORMER, PLAIN, Plan
from ldam_studio.networks.prepare import Copies, Entrance
from ldam_studio.networks.told import told
from ldam_studio.sampler.moments import Expected, moments_of

WRAPPERS = ("_orig_mod", "module")
"""Names of modules in the wrappers of torch.compile and of parallel training."""

LOUD, FAINT = 10.0, 0.01
"""Sizes of the noise in the images with which is found out how a module behaves, as a share of the
range of pixels."""


class Forward:
    """A module with its layers, and the pixels that it takes.

    Parameters
    ----------
    name
        Name of the network in messages.
    module
        Takes normalised images (n, C, H, W). It is frozen and put in evaluation mode, in place.
    pixels
        How pixels become its input.

    Raises
    ------
    StudioError
        If the module cannot take such images, or has no layers to look at.
    """

    def __init__(self, name: str, module: nn.Module, pixels: PixelSpec) -> None:
        self.name, self.module, self.pixels = name, module, pixels
        self._mean = torch.tensor(pixels.mean).reshape(1, -1, 1, 1)
        self._std = torch.tensor(pixels.std).reshape(1, -1, 1, 1)
        self.dtype = torch.float32
        with told("trying how it behaves"):
            found = prepare_and_find(module, self._images())
        self.dtype = found.dtype
        self._passes = Passes(found.behaviour, module)
        self.listing = self.list_layers(pixels, more=found.shapes)
        self.layers: tuple[Layer, ...] = self.listing.all
        self._folded = self._fold(found.norms)
        self._copies = Copies()

    def _images(self) -> Images:
        """Return the images with which is found out how the module behaves."""
        generator, pixels = torch.Generator().manual_seed(1), self.pixels
        low, high = pixels.bounds
        noise = (high - low) * torch.randn((1, *pixels.shape), generator=generator)
        loud, rest = (self.normalise(pixels.rest + size * noise) for size in (LOUD, FAINT))
        return Images(self.noise(), loud, rest)

    def list_layers(
        self,
        pixels: PixelSpec,
        like: Sequence[Layer] | None = None,
        more: Shapes | None = None,
    ) -> Layers:
        """List the layers for images of another size, see `listing.list_layers`."""
        images = self.normalise(torch.zeros(1, *pixels.shape, device=self.device))
        if self.behaviour.least > 1:
            beside = self._noise_for(images).repeat(self.behaviour.least - 1, 1, 1, 1)
            images = torch.cat([images, beside])
        with self._passes.guarded():
            return list_layers(self.name, self.module, images, like, more)

    def _fold(self, plain: Norms | None = None) -> Folded | None:
        # Passes that draw random numbers cannot be compared.
        compares = self._takes_copies and not self.behaviour.draws
        with told("folding its batch norms"):
            return fold(self.module, self.noise(), plain) if compares else None

    def noise(self, shape: Sequence[int] | None = None) -> Tensor:
        """Return the module's input for one image of noise, always the same, (1, C, H, W).

        `shape` (C, H, W) is that of its pixels if it is not given.
        """
        shape = self.pixels.shape if shape is None else shape
        noise = torch.rand((1, *shape), generator=torch.Generator().manual_seed(0))
        return self.normalise(noise.to(self.device))

    @property
    def behaviour(self) -> Behaviour:
        """What is special about its forward passes."""
        return self._passes.behaviour

    def behave(self, behaviour: Behaviour) -> None:
        """Make forward passes in another way from now on."""
        if behaviour != self.behaviour:
            self._passes = Passes(behaviour, self.module)
            self._folded = self._fold()

    def guarded(self) -> AbstractContextManager[None]:
        """Return the context in which the module itself may be run, on images that it takes."""
        return self._passes.guarded()

    def with_module(self, module: nn.Module) -> Self:
        """Return a shallow copy that runs another module of the same architecture and device."""
        twin = copy.copy(self)
        twin.module = module
        twin._passes = Passes(self.behaviour, module)
        twin._folded = twin._fold()
        twin._copies = Copies()
        return twin

    def run_alone(self) -> None:
        """Run copies of the modules from now on, which share their tensors, in place.

        Raises
        ------
        StudioError
            If the user's own module cannot be copied.
        """
        self.module = sharing(self.module)
        self._passes = Passes(self.behaviour, self.module)
        if self._folded is not None:
            self._folded = replace(self._folded, module=sharing(self._folded.module))
        self._copies = self._copies.sharing()

    def copied_module(self) -> nn.Module:
        """Return a copy of the module as it was opened, which another thread may be running.

        Raises
        ------
        StudioError
            If the user's own module cannot be copied.
        """
        if not self.behaviour.resets:
            return copied(self.module)
        with alone():
            return copied(self.module)

    def to(self, device: torch.device | str) -> Self:
        """Move to `device`, in place; returns self."""
        self.module.to(device)
        self._passes = Passes(self.behaviour, self.module)
        if self._folded is not None:
            self._folded.module.to(device)
        if torch.device(device) != self.device:
            self._copies.keep()
        self._mean, self._std = self._mean.to(device), self._std.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """The device of the module."""
        return self._mean.device

    def layer(self, name: str) -> Layer:
        """Return the layer called `name`; `StudioError` lists the layers if there is none."""
        # 0.1.0 left wrappers in names.
        plain = ".".join(part for part in name.split(".") if part not in WRAPPERS)
        layers = {layer.name: layer for layer in self.layers}
        for wanted in dict.fromkeys((name, plain)):
            found = layers.get(self.listing.aliases.get(wanted, wanted))
            if found is not None:
                return found
        raise StudioError(
            f"{self.name} has no layer {name!r}; it has {', '.join(la.name for la in self.layers)}."
        )

    def units(self, neurons: Sequence[Neuron], class_value: ClassValue | None = None) -> Units:
        """Return the units for these neurons, which must all be in one layer."""
        return units_of(self.layer(neurons[0].layer), neurons, self.device, class_value)

    def normalise(self, x: Tensor) -> Tensor:
        """Turn pixels (n, C, H, W) into the module's input."""
        images = (x - self._mean) / self._std
        return images if self.dtype == torch.float32 else images.to(self.dtype)

    def output(
        self, x: Tensor, layer: str, plan: Plan = PLAIN, class_value: ClassValue | None = None
    ) -> Tensor:
        """Return a layer's output at pixels x (n, C, H, W); the forward pass stops there.

        The output of a prepared copy is in float32. A `class_value` has a forward pass of its own.
        """
        module, plan = self.prepare_for(plan, layer), self._suited(plan)

        def run(images: Tensor) -> list[Tensor]:
            with forward_pass_for(class_value):
                return [self._output(module, images, layer, plan)]

        return self._made(run, x, layer)[0]

    def _made(self, run: Run, x: Tensor, layer: str) -> list[Tensor]:
        apart = self.layer(layer).alone
        return self._passes.make(run, self.normalise(x), self._noise_for, apart=apart)

    def _output(self, module: nn.Module, images: Tensor, layer: str, plan: Plan) -> Tensor:
        known = replace(self.layer(layer), alone=False)  # each image comes alone
        if plan.copies:
            return output_at(module, known, Entrance.apply(images, plan)).float()
        with plan.autocast(images.device.type):
            output = output_at(module, known, images)
        return output if self.dtype == torch.float32 else output.float()

    def _noise_for(self, images: Tensor) -> Tensor:
        return self.noise(images.shape[1:])

    def output_and_moments(
        self,
        x: Tensor,
        layer: str,
        compared: Sequence[str],
        plan: Plan = PLAIN,
        moments: Callable[[Tensor], Tensor] = moments_of,
        class_value: ClassValue | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return a layer's output and, of the same forward pass, the moments of earlier layers."""
        if self._folded is not None and self._folded.convolutions.intersection(compared):
            # A rectifier that works in place overwrites there what these give.
            plan = replace(plan, folded=False)
        module, plan = self.prepare_for(plan, layer, *compared), self._suited(plan)

        def run(images: Tensor) -> list[Tensor]:
            with forward_pass_for(class_value), noting(module, compared, moments) as noted:
                output = self._output(module, images, layer, plan)
            return [output, *(noted[name] for name in compared)]

        output, *found = self._made(run, x, layer)
        return output, found

    def outputs(
        self, x: Tensor, layers: Sequence[str], take: Callable[[Layer, Tensor], Sequence[Tensor]]
    ) -> list[Tensor]:
        """Return what `take` makes of the outputs of several layers in one forward pass.

        It is given a layer and its output, (n, *layer.shape), and returns tensors with one row for
        each image, which are joined in the order of `layers`. Runs the module itself, unprepared.
        """
        known = [self.layer(name) for name in layers]

        def run(images: Tensor) -> list[Tensor]:
            return outputs_at(self.module, known, images, take)

        apart = any(layer.alone for layer in known)
        return self._passes.make(run, self.normalise(x), self._noise_for, apart=apart)

    def activation(self, x: Tensor, units: Units, plan: Plan = PLAIN) -> Tensor:
        """Return the value of one neuron per image: x (n, C, H, W), n units -> (n,)."""
        output = self.output(x, units.layer.name, plan, units.class_value)
        with plan.autocast(x.device.type):
            return units.read(output)

    def activation_and_moments(
        self, x: Tensor, units: Units, expected: Expected, plan: Plan = PLAIN
    ) -> tuple[Tensor, list[Tensor]]:
        """Return what `activation` does, and the same pass's moments of the expected layers."""
        output, moments = self.output_and_moments(
            x, units.layer.name, expected.layers, plan, expected.moments_of, units.class_value
        )
        with plan.autocast(x.device.type):
            return units.read(output), moments

    def all_activations(self, x: Tensor, units: Units, plan: Plan = PLAIN) -> Tensor:
        """Return the value of every unit at every image: x (n, C, H, W) -> (n, units)."""
        output = self.output(x, units.layer.name, plan, units.class_value)
        with plan.autocast(x.device.type):
            return units.read_all(output)

    # Plans

    @property
    def _takes_copies(self) -> bool:
        """Whether prepared copies can be run: they neither go back to a state nor keep a type."""
        return not self.behaviour.resets and self.dtype == torch.float32

    def _suited(self, plan: Plan) -> Plan:
        return plan if self._takes_copies else replace(plan, layout=FORMER)

    def folds(self, *layers: str) -> bool:
        """Return whether the network has batch norms that can be folded for these layers."""
        return self._folded is not None and self._folded.layers.issuperset(layers)

    def prepare_for(self, plan: Plan, *layers: str) -> nn.Module:
        """Return what is run under a plan for these layers.

        It is the module itself, or its copy, which is made at the first call.

        Raises
        ------
        StudioError
            If the user's own module cannot be copied.
        """
        plan = self._for_layers(self._suited(plan), layers)
        module = self._folded.module if plan.folded and self._folded else self.module
        return self._copies.of(module, plan) if plan.copies else module

    def is_prepared_for(self, plan: Plan, *layers: str) -> bool:
        """Return whether a plan's copy exists, or none is needed."""
        return not self._suited(plan).copies or self._for_layers(plan, layers) in self._copies

    def keep_copies(self, layer: str, *plans: Plan) -> None:
        """Discard the copies that these plans do not need for this layer."""
        self._copies.keep(*(self._for_layers(plan, (layer,)) for plan in plans))

    def _for_layers(self, plan: Plan, layers: Sequence[str]) -> Plan:
        return replace(plan, folded=plan.folded and self.folds(*layers))
