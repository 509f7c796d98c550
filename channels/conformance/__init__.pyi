from .base import Candidate as Candidate
from .base import Check as Check
from .base import CheckFailed as CheckFailed
from .checks import CHANNEL_CHECKS as CHANNEL_CHECKS
