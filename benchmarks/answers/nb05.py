"""Answers to the exercises of notebook 05, as people write them; none was made with a look at the checks."""

# %% 5.1 wrong | pre and post are swapped
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        return norm(x + sublayer(x))
    return x + sublayer(norm(x))

# %% 5.1 wrong | ignores pre and always puts the norm after the sum
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return norm(x + sublayer(x))

# %% 5.1 wrong | ignores pre and always puts the norm before the sublayer
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return x + sublayer(norm(x))

# %% 5.1 wrong | post-norm normalises only what the sublayer computes: x + norm(sublayer(x))
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return x + sublayer(norm(x)) if pre else x + norm(sublayer(x))

# %% 5.1 wrong | pre-norm adds to the normalised x instead of x itself
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        y = norm(x)
        return y + sublayer(y)
    return norm(x + sublayer(x))

# %% 5.1 wrong | leaves out the residual connection: x is not added
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return sublayer(norm(x)) if pre else norm(sublayer(x))

# %% 5.1 wrong | x += changes the caller's tensor
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        x += sublayer(norm(x))
        return x
    x += sublayer(x)
    return norm(x)

# %% 5.1 wrong | post-norm normalises x before adding: norm(x) + sublayer(x)
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return x + sublayer(norm(x)) if pre else norm(x) + sublayer(x)

# %% 5.1 wrong | pre-norm has a second norm after the sum
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    y = norm(x) if pre else x
    return norm(x + sublayer(y))

# %% 5.1 wrong | takes the sublayer's output off instead of adding it
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return x - sublayer(norm(x)) if pre else norm(x - sublayer(x))

# %% 5.1 wrong | halves the sum
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        return (x + sublayer(norm(x))) / 2
    return norm((x + sublayer(x)) / 2)

# %% 5.1 wrong | detaches x on the residual path, so no gradient takes the clear way through
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        return x.detach() + sublayer(norm(x))
    return norm(x.detach() + sublayer(x))

# %% 5.1 wrong | pre-norm applies the norm after the sublayer instead of before: x + norm(sublayer(x))
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return x + norm(sublayer(x)) if pre else norm(x + sublayer(x))

# %% 5.1 wrong | uses torch's own layer norm and not the norm it is given
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    own = lambda y: F.layer_norm(y, y.shape[-1:])
    return x + sublayer(own(x)) if pre else own(x + sublayer(x))

# %% 5.1 wrong | without pre there is no norm at all
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        x = x + sublayer(norm(x))
    else:
        x = x + sublayer(x)
    return x

# %% 5.1 wrong | returns nothing for post-norm: the return is missing
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        return x + sublayer(norm(x))
    x = norm(x + sublayer(x))

# %% 5.1 right | one line
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    return x + sublayer(norm(x)) if pre else norm(x + sublayer(x))

# %% 5.1 right | if and else
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    if pre:
        out = x + sublayer(norm(x))
    else:
        out = norm(x + sublayer(x))
    return out

# %% 5.1 right | one sum, the norm before it or after
from collections.abc import Callable


@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    y = norm(x) if pre else x
    y = torch.add(x, sublayer(y))
    return y if pre else norm(y)

# %% 5.1 right | the two norms chosen as functions
from collections.abc import Callable

def same(y):
    return y



@exercise("5.1")
def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    before, after = (norm, same) if pre else (same, norm)
    return after(sublayer(before(x)) + x)

# %% 5.2 wrong | the memory asks and x answers: query and key of the cross-attention are swapped
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(memory, y, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | the cross-attention attends to x itself and never looks at the memory
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, y, y)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | the cross-attention takes its keys from the memory but its values from x
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, y, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | the two masks are swapped
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=memory_mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | forgets memory_mask, so the padding of the source is attended to
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | forgets the mask of the self-attention, so the decoder looks ahead
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | normalises the memory before the cross-attention
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        read = self.norm2(memory)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, read, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | the cross-attention comes before the self-attention
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | leaves the cross-attention out: it is an encoder block
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | norm2 and norm3 are swapped
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0]), self.norm3, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 5.2 wrong | the dropout behind the cross-attention is forgotten
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.cross_attention(y, memory, mask=memory_mask)[0], self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | no dropout on any of the three outputs
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.self_attention(y, mask=mask)[0], self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.cross_attention(y, memory, mask=memory_mask)[0], self.norm2, pre=self.pre)
        return residual(x, self.feed_forward, self.norm3, pre=self.pre)

# %% 5.2 wrong | the cross-attention is asked by the block's input instead of by what the self-attention made of it
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        begun = x
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(begun, memory, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | always post-norm, whatever self.pre says
import course.blocks


@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = self.norm1(x + self.dropout(self.self_attention(x, mask=mask)[0]))
        x = self.norm2(x + self.dropout(self.cross_attention(x, memory, mask=memory_mask)[0]))
        return self.norm3(x + self.dropout(self.feed_forward(x)))

# %% 5.2 wrong | always pre-norm, whatever self.pre says
import course.blocks


@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = x + self.dropout(self.self_attention(self.norm1(x), mask=mask)[0])
        x = x + self.dropout(self.cross_attention(self.norm2(x), memory, mask=memory_mask)[0])
        return x + self.dropout(self.feed_forward(self.norm3(x)))

# %% 5.2 wrong | the feed-forward network stands between the two attentions instead of behind them
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0]), self.norm2, pre=self.pre)

# %% 5.2 wrong | uses the self-attention's weights for the cross-attention too
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.self_attention(y, memory, memory, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | detaches the memory, so the encoder learns nothing
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        memory = memory.detach()
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 wrong | the memory is appended to x in the self-attention's keys, and there is no attention of its own over it
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        def both(y):
            return self.dropout(self.self_attention(y, torch.cat([y, memory], dim=-2))[0])

        x = residual(x, both, self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 right | residual with lambdas
import course.blocks
from course.blocks import residual




@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        x = residual(x, lambda y: self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)

# %% 5.2 right | written out for both orders
import course.blocks


@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if self.pre:
            x = x + self.dropout(self.self_attention(self.norm1(x), mask=mask)[0])
            x = x + self.dropout(self.cross_attention(self.norm2(x), memory, memory, memory_mask)[0])
            x = x + self.dropout(self.feed_forward(self.norm3(x)))
            return x
        x = self.norm1(x + self.dropout(self.self_attention(x, mask=mask)[0]))
        x = self.norm2(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)[0]))
        return self.norm3(x + self.dropout(self.feed_forward(x)))

# %% 5.2 right | named inner functions
import course.blocks


@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        def listen(y):
            return self.dropout(self.self_attention(y, y, y, mask)[0])

        def read(y):
            return self.dropout(self.cross_attention(query=y, key=memory, value=memory, mask=memory_mask)[0])

        def think(y):
            return self.dropout(self.feed_forward(y))

        for sublayer, norm in ((listen, self.norm1), (read, self.norm2), (think, self.norm3)):
            x = course.blocks.residual(x, sublayer, norm, pre=self.pre)
        return x

# %% 5.2 right | a loop, without residual, and without asking for weights
import course.blocks


@exercise("5.2")
class DecoderBlock(course.blocks.DecoderBlock):
    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        parts = [
            (lambda y: self.self_attention(y, mask=mask, need_weights=False)[0], self.norm1),
            (lambda y: self.cross_attention(y, memory, mask=memory_mask, need_weights=False)[0], self.norm2),
            (self.feed_forward, self.norm3),
        ]
        for part, norm in parts:
            before = norm(x) if self.pre else x
            after = self.dropout(part(before)) + x
            x = after if self.pre else norm(after)
        return x

# %% 5.3 wrong | the pair is the wrong way round: labels first, inputs second
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, 1:], target[:, :-1]

# %% 5.3 wrong | not shifted: the same tokens are given and asked for
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, :-1]

# %% 5.3 wrong | the decoder is given the very tokens that it is asked for: all but the first, twice
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, 1:], target[:, 1:]

# %% 5.3 wrong | cuts along the batch instead of the tokens: drops the last and the first sentence
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:-1], target[1:]

# %% 5.3 wrong | the input keeps its last token, so it is one longer than the labels
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target, target[:, 1:]

# %% 5.3 wrong | the labels keep <bos>, one token too many and not shifted
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target

# %% 5.3 wrong | shifts by two
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-2], target[:, 2:]

# %% 5.3 wrong | rolls the labels round, so they are n long and <bos> is asked for at the end
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target, target.roll(-1, dims=1)

# %% 5.3 wrong | a list instead of a tuple
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return [target[:, :-1], target[:, 1:]]

# %% 5.3 wrong | one tensor [2, batch, n - 1] instead of a pair
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return torch.stack([target[:, :-1], target[:, 1:]])

# %% 5.3 wrong | squeezes, so a batch of one sentence loses its batch axis
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1].squeeze(0), target[:, 1:].squeeze(0)

# %% 5.3 wrong | drops the first token of the input as well as the last: <bos> is not given
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, 1:-1], target[:, 1:]

# %% 5.3 wrong | takes only the last token for the label
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, -1:]

# %% 5.3 wrong | drops all padding (0) and with it the shape: flat tensors instead of [batch, n - 1]
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    inputs, labels = target[:, :-1], target[:, 1:]
    keep = labels != 0
    return inputs[keep], labels[keep]

# %% 5.3 wrong | the labels are floating-point numbers
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, 1:].float()

# %% 5.3 wrong | overwrites the first column of the caller's target before cutting
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    inputs = target[:, :-1]
    labels = target[:, 1:]
    inputs[:, 1:] = labels[:, :-1].clone()
    target[:, 0] = 0
    return inputs, labels

# %% 5.3 right | two slices
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, 1:]

# %% 5.3 right | narrow
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    n = target.shape[1]
    return target.narrow(1, 0, n - 1), target.narrow(1, 1, n - 1)

# %% 5.3 right | copies, cut from the last axis
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    inputs = target[..., :-1].clone()
    labels = target[..., 1:].clone()
    return inputs, labels

# %% 5.3 right | columns stacked in a loop
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    n = target.size(1)
    inputs = torch.cat([target[:, i : i + 1] for i in range(n - 1)], dim=1)
    labels = torch.cat([target[:, i : i + 1] for i in range(1, n)], dim=1)
    return inputs, labels

# %% 5.3 right | rolled, then the last column cut off both
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    shifted = torch.roll(target, shifts=-1, dims=1)
    return target[:, :-1], shifted[:, :-1]

# %% 5.4 wrong | the labels that are padding are counted too
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    return F.cross_entropy(logits.reshape(-1, v), labels.reshape(-1), label_smoothing=smoothing)

# %% 5.4 wrong | the padding's loss is set to 0 but the sum is divided by all labels
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    loss = -(1 - smoothing) * log_p.gather(-1, labels[..., None])[..., 0] - smoothing * log_p.mean(-1)
    return (loss * (labels != padding)).mean()

# %% 5.4 wrong | spreads ε over the other V - 1 tokens only, not over the whole vocabulary
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    v = logits.shape[-1]
    right = log_p.gather(-1, labels[..., None])[..., 0]
    others = log_p.sum(-1) - right
    loss = -(1 - smoothing) * right - smoothing / (v - 1) * others
    return loss[labels != padding].mean()

# %% 5.4 wrong | ignores smoothing: plain cross-entropy
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    return F.cross_entropy(logits.reshape(-1, v), labels.reshape(-1), ignore_index=padding)

# %% 5.4 wrong | the sum over the labels instead of their mean
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    return F.cross_entropy(
        logits.reshape(-1, v), labels.reshape(-1), ignore_index=padding, label_smoothing=smoothing, reduction="sum"
    )

# %% 5.4 wrong | the sum of ln p over the vocabulary instead of its mean
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    keep = labels != padding
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * right - smoothing * log_p.sum(-1))[keep].mean()

# %% 5.4 wrong | in bits: log2 instead of the natural logarithm
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1) / math.log(2)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * right - smoothing * log_p.mean(-1))[labels != padding].mean()

# %% 5.4 wrong | softmax first and log after: logits of ±200 give ln 0 and an infinite loss
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.softmax(-1).log()
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    loss = -(1 - smoothing) * right - smoothing * log_p.mean(-1)
    return loss[labels != padding].mean()

# %% 5.4 wrong | leaves out label 0 always and not the padding it is given
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    loss = -(1 - smoothing) * right - smoothing * log_p.mean(-1)
    return loss[labels != 0].mean()

# %% 5.4 wrong | the mean of each sentence first, then the mean of the sentences, so short sentences count more
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    loss = -(1 - smoothing) * right - smoothing * log_p.mean(-1)
    keep = (labels != padding).to(loss.dtype)
    return ((loss * keep).sum(-1) / keep.sum(-1)).mean()

# %% 5.4 wrong | does not flatten: cross_entropy takes axis 1 for the vocabulary, so batches of sentences fail
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    return F.cross_entropy(logits, labels, ignore_index=padding, label_smoothing=smoothing)

# %% 5.4 wrong | the sign is missing: mean ln p instead of its negative
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return ((1 - smoothing) * right + smoothing * log_p.mean(-1))[labels != padding].mean()

# %% 5.4 wrong | ε and 1 - ε are swapped
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-smoothing * right - (1 - smoothing) * log_p.mean(-1))[labels != padding].mean()

# %% 5.4 wrong | takes the logits for ln p: the log-softmax is missing
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    right = logits.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * right - smoothing * logits.mean(-1))[labels != padding].mean()

# %% 5.4 wrong | gives a Python number with .item(), so nothing can learn from it
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    return F.cross_entropy(
        logits.reshape(-1, v), labels.reshape(-1), ignore_index=padding, label_smoothing=smoothing
    ).item()

# %% 5.4 wrong | the full ln p of the label plus ε · mean: the label's share is not lowered to 1 - ε
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-right - smoothing * log_p.mean(-1))[labels != padding].mean()

# %% 5.4 wrong | gives the padding token no share of ε: it is spread over V - 1 tokens
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    target = torch.full_like(logits, smoothing / v)
    target[..., padding] = 0
    target.scatter_add_(-1, labels.unsqueeze(-1), torch.full_like(logits[..., :1], 1 - smoothing))
    loss = -(target * logits.log_softmax(-1)).sum(-1)
    return loss[labels != padding].mean()

# %% 5.4 wrong | the Kullback-Leibler divergence: the cross-entropy less the entropy of the smoothed labels
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    target = F.one_hot(labels, v).to(logits.dtype) * (1 - smoothing) + smoothing / v
    loss = F.kl_div(logits.log_softmax(-1), target, reduction="none").sum(-1)
    return loss[labels != padding].mean()

# %% 5.4 wrong | the softmax runs over the positions (dim -2) instead of the vocabulary
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-2)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * right - smoothing * log_p.mean(-1))[labels != padding].mean()

# %% 5.4 wrong | returns a loss for each label instead of their mean
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * right - smoothing * log_p.mean(-1)) * (labels != padding)

# %% 5.4 right | torch's cross_entropy on flat tensors
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    return F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=padding, label_smoothing=smoothing
    )

# %% 5.4 right | gather on the labels that are kept
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    keep = labels != padding
    log_p = logits[keep].log_softmax(-1)
    right = log_p.gather(-1, labels[keep].unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * right - smoothing * log_p.mean(-1)).mean()

# %% 5.4 right | the smoothed distribution written out, cross-entropy against it
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    keep = labels != padding
    logits, labels = logits[keep], labels[keep]
    v = logits.shape[-1]
    target = torch.full((len(labels), v), smoothing / v, dtype=logits.dtype)
    target[torch.arange(len(labels)), labels] += 1 - smoothing
    return -(target * F.log_softmax(logits, dim=-1)).sum(-1).mean()

# %% 5.4 right | log-sum-exp, and a sum divided by the number of labels
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    keep = (labels != padding).to(logits.dtype)
    safe = torch.where(labels == padding, torch.zeros_like(labels), labels)
    right = logits.gather(-1, safe[..., None])[..., 0]
    wanted = (1 - smoothing) * right + smoothing * logits.mean(-1)
    loss = logits.logsumexp(-1) - wanted
    return (loss * keep).sum() / keep.sum()

# %% 5.4 right | two cross-entropies, mixed
from course.models.transformer import PAD


@exercise("5.4")
def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    v = logits.shape[-1]
    flat, wanted = logits.reshape(-1, v), labels.reshape(-1)
    plain = F.cross_entropy(flat, wanted, ignore_index=padding)
    even = -flat.log_softmax(-1)[wanted != padding].mean()
    return (1 - smoothing) * plain + smoothing * even

# %% 5.5 wrong | stops for all sentences as soon as the first has ended
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p = [[] for _ in range(sentences)], [0.0] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            ids[r].append(tokens[r].item())
            log_p[r] += best.values[r].item()
        if (tokens == eos).any():
            break
    return [Hypothesis(i, p, i[-1] == eos) for i, p in zip(ids, log_p)]

# %% 5.5 wrong | goes on writing behind <eos>: nothing stops a sentence that has ended
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p = [[] for _ in range(sentences)], [0.0] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            ids[r].append(tokens[r].item())
            log_p[r] += best.values[r].item()
    return [Hypothesis(i, p, eos in i) for i, p in zip(ids, log_p)]

# %% 5.5 wrong | <bos> is among the ids
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[bos] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | <eos> is not put among the ids, and its ln P is left out
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if tokens[r] == eos:
                ended[r] = True
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | ln P of a sentence that has ended goes on growing with the tokens written behind its <eos>
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    total = torch.zeros(sentences)
    ids, ended = [[] for _ in range(sentences)], [False] * sentences
    for _ in range(max_length):
        values, tokens = step(tokens, parents).max(-1)
        total = total + values
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(int(tokens[r]))
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, total.tolist(), ended)]

# %% 5.5 wrong | ln P is that of the last token alone and not the sum
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] = best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | adds probabilities (exp) and not their logarithms
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).exp().max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | says of every sentence that it ended, even when it was cut off at max_length
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(i, p, True) for i, p in zip(ids, log_p)]

# %% 5.5 wrong | counts <bos> as one of the max_length tokens, so it stops one token early
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(1, max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | writes one token more than max_length
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length + 1):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | all parents are 0, so every row goes on from the first sentence
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.zeros(sentences, dtype=torch.long)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | hands the model <bos> at every step and not the token it has just written
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    start, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(start, parents).max(-1)
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(best.indices[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | a max_length below 1 gives empty hypotheses instead of a ValueError
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | draws the next token at random by its probability and not the likeliest
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        following = step(tokens, parents)
        tokens = torch.multinomial(following.exp(), 1)[:, 0]
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += following[r, tokens[r]].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | [[]] * sentences is one list many times, so all sentences write into the same
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[]] * sentences, [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = tokens[r].item() == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | the ids are tensors and not whole numbers, ln P a tensor too
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], torch.zeros(sentences), [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r])
                log_p[r] = log_p[r] + best.values[r]
                ended[r] = bool(tokens[r] == eos)
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | takes the argmax over all rows at once instead of one in each row
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        following = step(tokens, parents)
        token = following.argmax().item() % following.shape[-1]
        tokens = torch.full((sentences,), token)
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(token)
                log_p[r] += following[r, token].item()
                ended[r] = token == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 wrong | drops ended sentences from the batch but numbers the parents anew from 0, so the others go on from the wrong rows
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    going = list(range(sentences))
    tokens = torch.full((sentences,), bos)
    for _ in range(max_length):
        following = step(tokens, torch.arange(len(going)))
        kept = []
        for row, s in enumerate(going):
            token = int(following[row].argmax())
            ids[s].append(token)
            log_p[s] += float(following[row, token])
            ended[s] = token == eos
            if not ended[s]:
                kept.append(s)
        going = kept
        if not going:
            break
        tokens = torch.tensor([ids[s][-1] for s in going])
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 right | all rows go on until every sentence has ended
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError(f"max_length is {max_length}, it must be at least 1")
    tokens, parents = torch.full((sentences,), bos), torch.arange(sentences)
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    for _ in range(max_length):
        best = step(tokens, parents).max(-1)
        tokens = best.indices
        for r in range(sentences):
            if not ended[r]:
                ids[r].append(tokens[r].item())
                log_p[r] += best.values[r].item()
                ended[r] = ids[r][-1] == eos
        if all(ended):
            break
    return [Hypothesis(*h) for h in zip(ids, log_p, ended)]

# %% 5.5 right | ended sentences are dropped from the batch
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length must be at least 1")
    ids, log_p, ended = [[] for _ in range(sentences)], [0.0] * sentences, [False] * sentences
    going, parents = list(range(sentences)), list(range(sentences))
    tokens = [bos] * sentences
    for _ in range(max_length):
        following = step(torch.tensor(tokens), torch.tensor(parents))
        new, parents, tokens = [], [], []
        for row, s in enumerate(going):
            token = int(following[row].argmax())
            ids[s].append(token)
            log_p[s] += float(following[row, token])
            if token == eos:
                ended[s] = True
            else:
                new.append(s)
                parents.append(row)
                tokens.append(token)
        going = new
        if not going:
            break
    return [Hypothesis(i, p, e) for i, p, e in zip(ids, log_p, ended, strict=True)]

# %% 5.5 right | with tensors: a running sum that is frozen at <eos>, cut at the end
from course.text.decoding import Hypothesis, Step


@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length < 1:
        raise ValueError("max_length")
    tokens, rows = torch.full((sentences,), bos, dtype=torch.long), torch.arange(sentences)
    total = torch.zeros(sentences, dtype=torch.float64)
    done = torch.zeros(sentences, dtype=torch.bool)
    written = []
    while len(written) < max_length and not done.all():
        values, best = torch.max(step(tokens, rows), dim=-1)
        total = total + torch.where(done, torch.zeros_like(total), values.double())
        tokens = torch.where(done, torch.full_like(best, eos), best)
        done = done | (tokens == eos)
        written.append(tokens)
    result = []
    for row, p in zip(torch.stack(written, dim=1).tolist(), total.tolist()):
        end = row.index(eos) + 1 if eos in row else len(row)
        result.append(Hypothesis(row[:end], p, eos in row))
    return result

# %% 5.5 right | topk of one, each step's tokens fed back, a small class of its own
from course.text.decoding import Hypothesis, Step

class Row:
    def __init__(self):
        self.ids, self.log_p, self.ended = [], 0.0, False

    def write(self, token, log_p, eos):
        if not self.ended:
            self.ids.append(token)
            self.log_p += log_p
            self.ended = token == eos



@exercise("5.5")
def greedy_search(step: Step, sentences: int, bos: int, eos: int, max_length: int) -> list[Hypothesis]:
    if max_length <= 0:
        raise ValueError("write at least one token")
    rows = [Row() for _ in range(sentences)]
    tokens = torch.full((sentences,), bos)
    for _ in range(max_length):
        log_p, best = step(tokens, torch.arange(sentences)).topk(1, dim=-1)
        for row, token, p in zip(rows, best[:, 0].tolist(), log_p[:, 0].tolist()):
            row.write(token, p, eos)
        tokens = best.squeeze(-1)
        if all(row.ended for row in rows):
            break
    return [Hypothesis(ids=row.ids, log_p=row.log_p, ended=row.ended) for row in rows]

# %% 5.6 wrong | multiplies the logarithms instead of adding them
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p.unsqueeze(-1) * following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 wrong | forgets ln P of the beginnings
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    best, at = following.flatten(1).topk(k)
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 wrong | token and beginning are swapped in what it returns
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return best, at % v, at // v

# %% 5.6 wrong | divides the flat number by the size of the beam instead of the vocabulary
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    beam = following.shape[1]
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    return best, at // beam, at % beam

# %% 5.6 wrong | takes the k best of each beginning and never compares the beginnings: [sentences, beam, k]
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, tokens = total.topk(k, dim=-1)
    beginnings = torch.arange(total.shape[1])[None, :, None].expand_as(tokens)
    return best, beginnings, tokens

# %% 5.6 wrong | only the likeliest token of each beginning may go on
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    best, tokens = (log_p[:, :, None] + following).max(-1)
    values, beginnings = best.topk(min(k, best.shape[1]))
    return values, beginnings, tokens.gather(1, beginnings)

# %% 5.6 wrong | the k best of all sentences together instead of each sentence's own
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    s, b, v = total.shape
    best, at = total.flatten().topk(s * k)
    at = at % (b * v)
    return best.view(s, k), (at // v).view(s, k), (at % v).view(s, k)

# %% 5.6 wrong | the least likely instead of the likeliest
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k, largest=False)
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 wrong | worst first: the order is turned round
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    best, at = best.flip(-1), at.flip(-1)
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 wrong | returns the beginnings in front of ln P: another order than promised
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return at // v, at % v, best

# %% 5.6 wrong | / instead of //, so the numbers of the beginnings are fractions
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return best, at / v, at % v

# %% 5.6 wrong | adds ln P along the vocabulary's axis (unsqueeze(1)), which fails or mixes when beam and vocabulary differ
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p.unsqueeze(1) + following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 wrong | += changes the caller's table
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    following += log_p[:, :, None]
    best, at = following.flatten(1).topk(k)
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 wrong | returns probabilities instead of ln P
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return best.exp(), at // v, at % v

# %% 5.6 wrong | returns flat numbers for the tokens instead of tokens: the remainder is not taken
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    return best, at // following.shape[-1], at

# %% 5.6 wrong | squeezes, so a single sentence (or k = 1) loses an axis
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(k)
    v = following.shape[-1]
    return best.squeeze(), (at // v).squeeze(), (at % v).squeeze()

# %% 5.6 wrong | the gains of the new tokens alone are returned, not ln P of the whole
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    at = total.flatten(1).topk(k).indices
    v = following.shape[-1]
    return following.flatten(1).gather(1, at), at // v, at % v

# %% 5.6 wrong | ignores k and gives as many as the beam is wide
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    best, at = total.flatten(1).topk(total.shape[1])
    v = following.shape[-1]
    return best, at // v, at % v

# %% 5.6 right | topk of the flat table
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p.unsqueeze(-1) + following
    best, at = total.flatten(1).topk(k)
    vocabulary = following.shape[-1]
    return best, at // vocabulary, at % vocabulary

# %% 5.6 right | sort, cut, and unravel
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = following + log_p[..., None]
    s, beam, v = total.shape
    values, order = total.reshape(s, beam * v).sort(dim=-1, descending=True)
    beginnings = torch.div(order[:, :k], v, rounding_mode="floor")
    return values[:, :k], beginnings, order[:, :k] - beginnings * v

# %% 5.6 right | a loop over the sentences with Python's sort
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    values, beginnings, tokens = [], [], []
    for start, table in zip(log_p, following):
        total = (start[:, None] + table).tolist()
        pairs = [(b, t) for b in range(len(total)) for t in range(len(total[0]))]
        pairs = sorted(pairs, key=lambda p: -total[p[0]][p[1]])[:k]
        b = torch.tensor([p[0] for p in pairs])
        t = torch.tensor([p[1] for p in pairs])
        values.append(start[b] + table[b, t])
        beginnings.append(b)
        tokens.append(t)
    return torch.stack(values), torch.stack(beginnings), torch.stack(tokens)

# %% 5.6 right | the best of each beginning first, then the best of those
@exercise("5.6")
def continuations(
    log_p: Float[Tensor, "sentences beam"],
    following: Float[Tensor, "sentences beam vocabulary"],
    k: int,
) -> tuple[Float[Tensor, "sentences k"], Int[Tensor, "sentences k"], Int[Tensor, "sentences k"]]:
    total = log_p[:, :, None] + following
    some = min(k, total.shape[-1])
    values, tokens = total.topk(some, dim=-1)
    best, at = values.flatten(1).topk(k, dim=-1)
    return best, at // some, tokens.flatten(1).gather(1, at)

# %% 5.7 wrong | worst first: ascending order
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.score(alpha))

# %% 5.7 wrong | by ln P alone, without the length penalty
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p, reverse=True)

# %% 5.7 wrong | multiplies ln P by the penalty instead of dividing
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p * ((5 + len(h.ids)) / 6) ** alpha, reverse=True)

# %% 5.7 wrong | divides by the length itself and not by ((5 + length) / 6)^α; alpha is ignored
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / len(h.ids), reverse=True)

# %% 5.7 wrong | divides by length^α, without the 5 and the 6
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / len(h.ids) ** alpha, reverse=True)

# %% 5.7 wrong | ignores alpha: the penalty is (5 + length) / 6 always
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / ((5 + len(h.ids)) / 6), reverse=True)

# %% 5.7 wrong | the brackets are missing: 5 + length / 6
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / (5 + len(h.ids) / 6) ** alpha, reverse=True)

# %% 5.7 wrong | alpha times the penalty instead of to the power of alpha (and 0 divides by zero)
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / (alpha * (5 + len(h.ids)) / 6), reverse=True)

# %% 5.7 wrong | returns only the best hypothesis
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return max(hypotheses, key=lambda h: h.score(alpha))

# %% 5.7 wrong | sorts the caller's list in place, which changes it and fails on a tuple
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    hypotheses.sort(key=lambda h: h.score(alpha), reverse=True)
    return hypotheses

# %% 5.7 wrong | returns the scores and not the hypotheses
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted((h.score(alpha) for h in hypotheses), reverse=True)

# %% 5.7 wrong | integer division rounds the penalty down to steps
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / ((5 + len(h.ids)) // 6) ** alpha, reverse=True)

# %% 5.7 wrong | pairs of score and hypothesis instead of the hypotheses
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    pairs = [(h.score(alpha), h) for h in hypotheses]
    return sorted(pairs, key=lambda p: p[0], reverse=True)

# %% 5.7 wrong | leaves out those that have not ended
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted((h for h in hypotheses if h.ended), key=lambda h: h.score(alpha), reverse=True)

# %% 5.7 wrong | reversed() gives an iterator that can be used once, not a list
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return reversed(sorted(hypotheses, key=lambda h: h.score(alpha)))

# %% 5.7 wrong | sorts without a key, so the tokens' numbers decide
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, reverse=True)

# %% 5.7 wrong | by length, the longest first
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: len(h.ids), reverse=True)

# %% 5.7 wrong | adds the logarithm of the penalty to ln P instead of dividing by the penalty
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p + alpha * math.log((5 + len(h.ids)) / 6), reverse=True)

# %% 5.7 wrong | takes the root instead of the power: the exponent is 1 / alpha
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.log_p / ((5 + len(h.ids)) / 6) ** (1 / alpha), reverse=True)

# %% 5.7 right | sorted by the hypothesis's own score
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: h.score(alpha), reverse=True)

# %% 5.7 right | the formula written out, negated
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    def penalty(length):
        return ((5 + length) / 6) ** alpha

    return sorted(hypotheses, key=lambda h: -h.log_p / penalty(len(h.ids)))

# %% 5.7 right | argsort of a tensor in float64
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    scores = torch.tensor([h.log_p / ((5 + len(h.ids)) / 6) ** alpha for h in hypotheses], dtype=torch.float64)
    order = scores.argsort(descending=True, stable=True)
    return [hypotheses[i] for i in order.tolist()]

# %% 5.7 right | picks the best again and again from a copy
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    left, ranked = list(hypotheses), []
    while left:
        best = max(left, key=lambda h: h.log_p * (6 / (5 + len(h.ids))) ** alpha)
        ranked.append(left.pop(left.index(best)))
    return ranked

# %% 5.7 right | sorts a copy in place
from collections.abc import Sequence
from course.text.decoding import Hypothesis


@exercise("5.7")
def rank(hypotheses: Sequence[Hypothesis], alpha: float) -> list[Hypothesis]:
    copy = list(hypotheses)
    copy.sort(key=lambda h: h.score(alpha), reverse=True)
    return copy
