"""The small operations between products of matrices, each with its own way back.

Norms, rotations and gates are a few passes over the activations each, but autograd makes a dozen
of them, and keeps what each needs. Here a norm keeps its input, a gate its two inputs, a rotation
nothing. What they compute is what the model's own modules compute: each kind is tried beside the
original when it is put in its place, and left alone where it differs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

TOLERANCE = 1e-5

Rotate = Callable[..., tuple[Tensor, Tensor]]

_replaced: dict[str, Rotate] = {}
"""The rotations that ours stand for now, by the module of their architecture."""


class _Norm(torch.autograd.Function):
    """weight * x / sqrt(mean(x^2) + eps) over the last dimension (Zhang and Sennrich 2019)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        exact = x.float()
        size = torch.linalg.vector_norm(exact, dim=-1, keepdim=True)
        inverse = (size.square_() / x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        made: Tensor = (exact * inverse).to(x.dtype)
        return made.mul_(weight) if made.dtype == weight.dtype else made * weight

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        grad, exact = grads[0].float(), x.float()
        grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_weight = (grad * exact * inverse).flatten(0, -2).sum(0).to(weight.dtype)
        back = grad * weight
        along = torch.linalg.vecdot(back, exact)[..., None] * inverse.pow(3) / -x.shape[-1]
        return back.mul_(inverse).addcmul_(exact, along).to(x.dtype), grad_weight, None


class _Gate(torch.autograd.Function):
    """silu(gate) * up (Shazeer 2020)."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return torch.nn.functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        gate, up = ctx.saved_tensors
        grad_gate = torch.ops.aten.silu_backward(grads[0] * up, gate)
        return grad_gate, torch.nn.functional.silu(gate).mul_(grads[0])


class _Rotation(torch.autograd.Function):
    """x cos + (-x2, x1) sin, where x1 and x2 are the halves of x (Su et al. 2021)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _rotated(x, cos, sin, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        cos, sin = ctx.saved_tensors
        return _rotated(grads[0], cos, sin, -1), None, None


def _rotated(x: Tensor, cos: Tensor, sin: Tensor, sign: int) -> Tensor:
    half = x.shape[-1] // 2
    made = x * cos
    made[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-sign)
    made[..., half:].addcmul_(x[..., :half], sin[..., half:], value=sign)
    return made


def _norm(module: Any, eps: float, x: Tensor) -> Tensor:
    made: Tensor = _Norm.apply(x, module.weight, eps)  # type: ignore[no-untyped-call]
    return made


def _mlp(module: Any, x: Tensor) -> Tensor:
    made = _Gate.apply(module.gate_proj(x), module.up_proj(x))  # type: ignore[no-untyped-call]
    out: Tensor = module.down_proj(made)
    return out


def rotate(
    q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """Queries and keys [rows, heads, length, width] turned by their positions."""
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    return (
        _Rotation.apply(q, cos, sin),  # type: ignore[no-untyped-call]
        _Rotation.apply(k, cos, sin),  # type: ignore[no-untyped-call]
    )


def _rotate_whole(
    original: Rotate, q: Tensor, k: Tensor, cos: Tensor, *more: Any, **by: Any
) -> Any:
    """Ours, or the original where it turns a part of each head alone."""
    whole = q.shape[-1] == cos.shape[-1] == k.shape[-1]
    return (rotate if whole else original)(q, k, cos, *more, **by)


def use(model: Any) -> int:
    """How many of the model's modules now compute in this way."""
    config = model.config.get_text_config()
    trial = torch.linspace(-1, 1, 3 * config.hidden_size, device=model.device)
    trial = trial.view(1, 3, -1).to(model.dtype)
    found = 0
    for module in model.modules():
        own = _own(module)
        if own is not None and _alike(module, own, trial):
            module.forward = own
            found += 1
    _rotations(model)
    return found


def leave(model: Any) -> None:
    """Let all modules compute as they did, and all architectures rotate as they did."""
    for module in model.modules():
        own = vars(module).get("forward")
        if isinstance(own, functools.partial) and own.func in (_norm, _mlp):
            del module.forward
    while _replaced:
        home, original = _replaced.popitem()
        sys.modules[home].apply_rotary_pos_emb = original  # type: ignore[attr-defined]


def _own(module: Any) -> Callable[..., Tensor] | None:
    """Our way for a module, if it looks like one that there is a way for."""
    if type(module).__name__.endswith("RMSNorm") and hasattr(module, "variance_epsilon"):
        return functools.partial(_norm, module, module.variance_epsilon)
    parts = ("gate_proj", "up_proj", "down_proj", "act_fn")
    if all(hasattr(module, part) for part in parts) and _is_silu(module.act_fn):
        return functools.partial(_mlp, module)
    return None


def _is_silu(activation: Any) -> bool:
    return isinstance(activation, torch.nn.SiLU) or type(activation).__name__ == "SiLUActivation"


def _alike(module: Any, own: Callable[..., Tensor], trial: Tensor) -> bool:
    width = module.weight.shape[0] if hasattr(module, "weight") else trial.shape[-1]
    if width > trial.shape[-1]:
        return False
    with torch.no_grad():
        there, here = module(trial[..., :width]), own(trial[..., :width])
    return bool(torch.allclose(there, here, rtol=1e-2 if trial.itemsize < 4 else 1e-5, atol=1e-5))


def _rotations(model: Any) -> None:
    """Let the architecture's rotation be ours, in all models of its kind, if it is the same."""
    for home in {type(module).__module__ for module in model.modules()}:
        original = getattr(sys.modules[home], "apply_rotary_pos_emb", None)
        if original is None or home in _replaced:
            continue
        q, k = torch.randn(2, 1, 2, 3, 8).unbind()
        angle = torch.linspace(0, 3, 24).view(1, 3, 8)
        angle[..., 4:] = angle[..., :4]
        try:
            same = all(
                torch.allclose(one, other, atol=TOLERANCE)
                for one, other in zip(
                    original(q, k, angle.cos(), angle.sin()),
                    rotate(q, k, angle.cos(), angle.sin()),
                    strict=True,
                )
            )
        except (RuntimeError, TypeError, ValueError):
            same = False
        if same:
            _replaced[home] = original
            ours = functools.partial(_rotate_whole, original)
            sys.modules[home].apply_rotary_pos_emb = ours  # type: ignore[attr-defined]
