"""Every test has the same stack, and no way to a real account."""

import os

import pytest

# Before boto3 is imported. Nothing of the person who runs the tests is used.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

from stack.deployed import deployed as deploy  # noqa: E402


# One for all tests of a file: they look and don't touch. A second stack would be in the same account, so tests that create
# one of their own are in a file without this one.
@pytest.fixture(scope="module")
def deployed():
    with deploy() as stack:
        yield stack
