from .analog.checks import ANALOG_CHECKS as ANALOG_CHECKS
from .base import Candidate as Candidate
from .base import Check as Check
from .base import CheckFailed as CheckFailed
from .digital.checks import CODEC_CHECKS as CODEC_CHECKS
