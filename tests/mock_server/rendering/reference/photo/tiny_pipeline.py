"""A Stable Diffusion pipeline of random weights, small enough to be made by a test: 0.4 MB, no download.

As the tests of diffusers have it. Its tokenizer knows the letters, each alone and as a word's last.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import torch

# By name: both are marked as typed but are not.
diffusers: Any = import_module("diffusers")
transformers: Any = import_module("transformers")

_WIDTH = 32  # of a token's embedding


def save_tiny_pipeline(folder: Path, **instead: Any) -> Path:
    """Save the pipeline into a folder, and return that; components can be replaced by name."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = _tokenizer()
        components: dict[str, Any] = {
            "vae": _autoencoder(),
            "text_encoder": transformers.CLIPTextModel(_text_config(len(tokenizer))),
            "tokenizer": tokenizer,
            "unet": _unet(),
            "scheduler": diffusers.DDIMScheduler(
                steps_offset=1, clip_sample=False, beta_schedule="scaled_linear"
            ),
            "safety_checker": None,
            "feature_extractor": None,
            "requires_safety_checker": False,
        }
        diffusers.StableDiffusionPipeline(**(components | instead)).save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    tokens = [
        *ascii_lowercase,
        *(f"{letter}</w>" for letter in ascii_lowercase),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    return transformers.CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)}, merges=[], model_max_length=77
    )


def _text_config(tokens: int) -> Any:
    return transformers.CLIPTextConfig(
        vocab_size=tokens,
        hidden_size=_WIDTH,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        max_position_embeddings=77,
        bos_token_id=tokens - 2,
        eos_token_id=tokens - 1,
        pad_token_id=tokens - 1,
    )


def _unet() -> Any:
    return diffusers.UNet2DConditionModel(
        block_out_channels=(4, 8),
        layers_per_block=1,
        sample_size=32,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=_WIDTH,
        norm_num_groups=2,
        attention_head_dim=2,
    )


def _autoencoder() -> Any:
    """Shrinks by 8, as the real one does."""
    return diffusers.AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
    )
