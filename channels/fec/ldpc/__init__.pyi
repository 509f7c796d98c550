from .code import MAX_RATE as MAX_RATE
from .code import LdpcCode as LdpcCode
from .code import ldpc_code as ldpc_code
