"""The template as a file: its text, and its text as data."""

from pathlib import Path

import yaml
from moto.cloudformation.utils import yaml_tag_constructor

REPOSITORY = Path(__file__).parents[4]
TEMPLATE = REPOSITORY / "deploy/cloudformation/spinfo.yaml"
TEXT = TEMPLATE.read_text()


class _Loader(yaml.SafeLoader):
    """Understands the short forms, such as !Ref."""


_Loader.add_multi_constructor("", yaml_tag_constructor)


def parse(text):
    """The template as data, with the short forms written out: `{"Ref": …}`, `{"Fn::GetAtt": …}`."""
    return yaml.load(text, _Loader)


def mutate(text, old, new):
    """The text with one place changed."""
    assert text.count(old) == 1, f"{text.count(old)} places in the template say {old!r}, not one"
    return text.replace(old, new)


def references(value):
    """The logical ids that a part of a template names, by Ref, Fn::GetAtt, Fn::Sub and DependsOn."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "Ref":
                yield part
            elif key == "Fn::GetAtt":
                yield part.split(".")[0] if isinstance(part, str) else part[0]
            elif key == "DependsOn":
                yield from [part] if isinstance(part, str) else part
            elif key == "Fn::Sub":
                text, more = part if isinstance(part, list) else (part, {})
                yield from (piece.split("}")[0].split(".")[0] for piece in text.split("${")[1:])
                yield from references(more)
            else:
                yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)
