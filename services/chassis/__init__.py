"""What every service needs and no telephony."""

import os

# Programs are started by fork and exec; gRPC's own fork handlers only complain about that, once
# for each. The library reads this when it is first imported, which is always after this package.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
