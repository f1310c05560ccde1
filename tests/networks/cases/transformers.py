"""Tokens and attention."""

import torch
import torch.nn.functional as F
from opens import GREY, RGB, SMALL, opens
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        qkv = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(n, tokens, width))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), Attention(width, 2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """With a class token and four registers."""

    def __init__(self, width=16, registers=4):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 8, stride=8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.registers = nn.Parameter(torch.randn(1, registers, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 17, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 6)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        registers = self.registers.expand(x.shape[0], -1, -1)
        x = torch.cat([x[:, :1], registers, x[:, 1:]], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


@opens(RGB, {"patch_embed": 16, "blocks.0.attn.qkv": 48, "blocks.1": 16, "head": 6})
def vision_transformer_with_registers():
    return ViT()


class WindowBlock(nn.Module):
    """Attention within windows, shifted in every second block; images are (n, H, W, channels)."""

    def __init__(self, width, window, shift):
        super().__init__()
        self.window, self.shift = window, shift
        self.norm, self.attn = nn.LayerNorm(width), Attention(width, 2)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        n, h, w, c = x.shape
        k = self.window
        y = torch.roll(self.norm(x), (-self.shift, -self.shift), (1, 2))
        y = y.view(n, h // k, k, w // k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, k * k, c)
        y = self.attn(y).view(n, h // k, w // k, k, k, c).permute(0, 1, 3, 2, 4, 5)
        x = x + torch.roll(y.reshape(n, h, w, c), (self.shift, self.shift), (1, 2))
        return x + self.mlp(x)


class Swin(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.blocks = nn.Sequential(WindowBlock(8, 4, 0), WindowBlock(8, 4, 2))
        self.reduction = nn.Linear(32, 16, bias=False)
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 5)

    def forward(self, x):
        x = self.blocks(self.patches(x).permute(0, 2, 3, 1).contiguous())
        corners = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        x = self.norm(self.reduction(torch.cat(corners, -1)))
        return self.head(x.mean((1, 2)))


@opens(RGB, {"blocks.0": 8, "blocks.1.norm": 8, "blocks.1.mlp.0": 16, "reduction": 16, "head": 5})
def swin_windows():
    return Swin()


class MixerBlock(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(tokens, 24), nn.GELU(), nn.Linear(24, tokens))
        self.channels = nn.Sequential(nn.Linear(width, 24), nn.GELU(), nn.Linear(24, width))

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


@opens(RGB, {"blocks.0": 12, "blocks.1.channels.0": 24, "head": 5})
def mlp_mixer():
    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Linear(3 * 8 * 8, 12)
            self.blocks = nn.Sequential(MixerBlock(16, 12), MixerBlock(16, 12))
            self.head = nn.Linear(12, 5)

        def forward(self, x):
            n = x.shape[0]
            patches = x.reshape(n, 3, 4, 8, 4, 8).permute(0, 2, 4, 1, 3, 5).reshape(n, 16, -1)
            return self.head(self.blocks(self.stem(patches)).mean(1))

    return Mixer()


class Encoder(nn.Module):
    """torch's own transformer, which counts the images second unless told otherwise."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Unfold(7, stride=7)
        self.embed = nn.Linear(49, 12)
        self.position = nn.Embedding(16, 12)
        layer = nn.TransformerEncoderLayer(12, 3, 24, activation="gelu", norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = self.embed(self.patches(x).permute(2, 0, 1))
        x = x + self.position(torch.arange(16, device=x.device))[:, None]
        return self.fc(self.encoder(x).mean(0))


@opens(GREY, {"encoder.layers.0": 12, "encoder.layers.1.linear1": 24, "fc": 10})
def transformer_that_counts_images_second():
    return Encoder()


class CrossAttention(nn.Module):
    """Learned queries ask the pixels."""

    def __init__(self):
        super().__init__()
        self.pixels_in = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.queries = nn.Parameter(torch.randn(5, 8))
        self.cross = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm, self.score = nn.LayerNorm(8), nn.Linear(8, 1)

    def forward(self, x):
        memory = self.pixels_in(x).flatten(2).mT
        queries = self.queries.unsqueeze(0).repeat(x.shape[0], 1, 1)
        found, _ = self.cross(queries, memory, memory, need_weights=False)
        return self.score(self.norm(found + queries)).squeeze(-1)


@opens(SMALL, {"pixels_in": 8, "cross": 8, "norm": 8, "output": 5})
def queries_that_attend_to_pixels():
    return CrossAttention()


@opens(SMALL, {"backbone": 8, "transformer.linear1": 16, "class_embed": 4, "bbox_embed": 4})
def detection_transformer():
    class DETR(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Conv2d(3, 8, 4, 4)
            self.transformer = nn.TransformerDecoderLayer(8, 2, 16)
            self.query_embed = nn.Embedding(3, 8)
            self.class_embed, self.bbox_embed = nn.Linear(8, 4), nn.Linear(8, 4)

        def forward(self, x):
            memory = self.backbone(x).flatten(2).permute(2, 0, 1)
            queries = self.query_embed.weight.unsqueeze(1).repeat(1, len(x), 1)
            h = self.transformer(queries, memory).transpose(0, 1)
            return {"pred_logits": self.class_embed(h), "pred_boxes": self.bbox_embed(h).sigmoid()}

    return DETR()
