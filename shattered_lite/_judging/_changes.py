"""What to change in a network: a sentence and a line of code."""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """What to do, and the line of code that does it.

    Examples
    --------
    >>> sl.diagnosis.Change("Start biases at zero.", "nn.init.zeros_(layer.bias)").code
    'nn.init.zeros_(layer.bias)'
    """

    sentence: str
    code: str

    def of(self, module: str) -> Change:
        """The same, to a layer that has a name in its network."""
        return Change(self.sentence, self.code.replace("layer.", f"network.get_submodule({module!r})."))

    def to(self, operation: str) -> Change:
        """The same, of the weights of a recurrent layer; of a cell, or of a layer that a loop calls, if it is one."""
        ending = {"cell": "_l0", "linear": "_hh_l0"}.get(operation.rpartition("_")[2], "")
        return Change(self.sentence, self.code.replace(ending, ""))


STANDARDISE = Change("Standardise the inputs.", "inputs = (inputs - mean) / deviation  # both of the training set")
HE = Change("Draw weights anew, of the size that keeps signals through rectifiers.", "sl.he_(network)")
HE_EACH = Change(HE.sentence, "nn.init.kaiming_normal_(layer.weight)  # of each layer")
XAVIER = Change(
    "Draw weights anew, of the size that keeps signals.", "nn.init.xavier_normal_(layer.weight)  # of each layer"
)
NORM = Change("Normalise what each activation sees.", "x = activation(nn.LayerNorm(width)(layer(x)))")
NORM_IMAGES = Change(NORM.sentence, "x = activation(nn.GroupNorm(1, channels)(layer(x)))")
SKIP = Change(
    "Put a skip around each layer, with a norm and a small factor before it is added.",
    "x = x + 0.1 * layer(F.relu(norm(x)))",
)
SCALE = Change("Divide each branch by their number.", "x = x + branch(x) / depth")
TANH = Change("Take an activation that is centred, and steep at 0.", "nn.Tanh()  # in place of nn.Sigmoid()")
LINEAR_START = Change("Or start linear, with concatenated rectifiers.", "network = sl.initializers.to_crelu(network)")
ORTHOGONAL = Change("Start the recurrent weights as an orthogonal matrix.", "nn.init.orthogonal_(layer.weight_hh_l0)")
BOUND = Change("Bound the state.", "nn.RNN(inputs, hidden, nonlinearity='tanh')")
REMEMBER = Change(
    "Start with gates that keep the state: the forget or update gate.",
    "layer.bias_ih_l0.data[hidden : 2 * hidden] = 5.0",
)
LOGARITHMS = Change("Add logarithms in place of multiplying factors.", "x = factors.log().sum(1)")
DECAY = Change("Let what is kept from step to step decay more slowly, or attend to all.", "decay = 1 - 1 / length")
AGAIN = Change(
    "Start again, with biases at zero; and if it was trained before, with a smaller learning rate.",
    "nn.init.zeros_(layer.bias); torch.optim.SGD(network.parameters(), lr=lr / 10)",
)
ACTIVATE = Change("Put an activation behind each layer of weights, and keep what it returns.", "x = F.relu(layer(x))")
ONE_ZERO = Change(
    "Let only the last layer of a branch, or of a head, start at zero.", "nn.init.kaiming_normal_(layer.weight)"
)
CONNECT = Change("Let the gradient through where it is cut off.", "x = layer(x)  # in place of layer(x).detach()")
FREE_END = Change(
    "Let the last layer put out any number; or bring the targets into the range of its activation.",
    "nn.Identity()  # in place of the last activation",
)
UNCENTRED = Change(
    "Take no mean of what was centred just before, and no difference of equals: one norm for all inputs keeps what "
    "tells them apart.",
    "nn.BatchNorm2d(channels)  # in place of nn.InstanceNorm2d",
)
KEEP_MORE = Change("Leave out a smaller share: nn.Dropout takes the share that it drops.", "nn.Dropout(0.1)")
LIST = Change(
    "Keep layers and weights where the network finds them.",
    "self.layers = nn.ModuleList(layers); self.weight = nn.Parameter(weight)",
)
UNFREEZE = Change("Let it learn.", "network.requires_grad_(True)")
ZERO_HEAD = Change("Start the last layer at zero.", "nn.init.zeros_(layer.weight)")
STANDARDISE_TARGETS = Change(
    "Standardise the targets.", "targets = (targets - mean) / deviation  # both of the training set"
)
RANGE = Change(
    "Compute in numbers of a wider range.", "network, inputs = network.to(torch.bfloat16), inputs.to(torch.bfloat16)"
)
