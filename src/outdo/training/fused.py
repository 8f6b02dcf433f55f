"""A LoRA layer as one operation: `y = x W' + b + s (x A') B'`, with its own way back.

Through autograd a LoRA layer of a small model costs more in casts, scalings and additions, each
a pass over all activations, than in products of matrices. Here nothing but the products is left,
and nothing is kept for the way back but the layer's input.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor


class _LoraLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        down, up = a.to(flat.dtype), (b * scale).to(flat.dtype)
        if _one_product(flat, weight):
            made = torch.nn.functional.linear(flat, torch.addmm(weight, up, down), bias)
        else:
            made = torch.nn.functional.linear(flat, weight, bias).addmm_(flat @ down.T, up.T)
        ctx.save_for_backward(flat, weight, down, up)
        ctx.scale, ctx.kinds, ctx.shape = scale, (x.dtype, a.dtype, b.dtype), x.shape
        return made.view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        flat, weight, down, up = ctx.saved_tensors
        kind, kind_a, kind_b = ctx.kinds
        grad = grads[0].reshape(-1, weight.shape[0]).to(flat.dtype)
        back, narrow = grad @ up, flat @ down.T
        grad_x = None
        if ctx.needs_input_grad[0]:
            if _one_product(flat, weight):
                grad_x = grad @ torch.addmm(weight, up, down)
            else:
                grad_x = (grad @ weight).addmm_(back, down)
            grad_x = grad_x.view(ctx.shape).to(kind)
        grad_a = (back.T @ flat).to(kind_a)
        grad_b = (narrow.T @ grad).T.to(kind_b) * ctx.scale
        return grad_x, None, None, grad_a, grad_b, None


def _one_product(flat: Tensor, weight: Tensor) -> bool:
    """Whether to add the adapter to the weight first, which then makes one product of three.

    In float32 alone, for a small step is lost in fewer bits; and where there are enough tokens.
    """
    outer, inner = weight.shape
    return weight.dtype == torch.float32 and len(flat) * (outer + inner) > 2 * outer * inner


def _forward(layer: Any, x: Tensor) -> Tensor:
    name = layer.active_adapters[0]
    inner = layer.get_base_layer()
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    with torch.autocast(x.device.type, enabled=False):
        made: Tensor = _LoraLinear.apply(  # type: ignore[no-untyped-call]
            x, inner.weight, inner.bias, a, b, layer.scaling[name]
        )
    return made


def fuse(model: Any) -> int:
    """How many of the model's LoRA layers now compute in one operation: the plain ones.

    Layers with dropout, DoRA, a bias of their own or quantised weights stay as peft made them.
    """
    from peft.tuners.lora.layer import Linear

    plain = [module for module in model.modules() if isinstance(module, Linear) and _plain(module)]
    for layer in plain:
        layer.forward = functools.partial(_forward, layer)
    return len(plain)


def _plain(layer: Any) -> bool:
    name = layer.active_adapters[0]
    return (
        type(layer.get_base_layer()) is torch.nn.Linear
        and len(layer.active_adapters) == 1
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and name not in layer.lora_variant
        and layer.lora_B[name].bias is None
        and not layer.merged
    )
