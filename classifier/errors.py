"""What can go wrong in the classifier.

ClassifierError
├── TierError            not the name of a tier (also a ValueError)
├── PromptError          neither a string nor OpenAI messages (also a ValueError)
├── PolicyError          a policy's setting is out of range or unknown (also a ValueError)
└── ModelFileError       something is the matter with a model file
    ├── ModelFileMissing      there is no such file
    ├── ModelFileDamaged      it is not whole, or not a model file
    ├── ModelFileUnsupported  another version of Tierwise wrote it
    └── ModelFileNotWritten   it could not be written; what was there before is whole
"""

__all__ = [
    "ClassifierError",
    "ModelFileDamaged",
    "ModelFileError",
    "ModelFileMissing",
    "ModelFileNotWritten",
    "ModelFileUnsupported",
    "PolicyError",
    "PromptError",
    "TierError",
]


class ClassifierError(Exception):
    """Root of everything that this package raises on purpose."""


class TierError(ClassifierError, ValueError):
    """A word that names no tier."""


class PromptError(ClassifierError, ValueError):
    """A prompt that is neither a string nor a list of OpenAI messages."""


class PolicyError(ClassifierError, ValueError):
    """A policy whose settings make no sense."""


class ModelFileError(ClassifierError):
    """Something is the matter with a model file."""


class ModelFileMissing(ModelFileError):
    """No file stands at the given path, or it cannot be read."""


class ModelFileDamaged(ModelFileError):
    """The file is cut short, altered, or not a model file at all."""


class ModelFileUnsupported(ModelFileError):
    """The file is whole, but this version of Tierwise does not know its format."""


class ModelFileNotWritten(ModelFileError):
    """The file could not be written; whatever stood at its path before is untouched."""
