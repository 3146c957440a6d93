"""Everything that can go wrong in the kernel, as one tree.

CareerlensError
├── ParamsError
├── TaxonomyError             the skill table cannot be read, or contradicts itself
├── PostingsError             a file of postings cannot be read
├── NoPostingsError           there is nothing to build an index of
├── OverrideError             a refusal is overridden without saying why
├── BundleError
│   ├── MissingFileError      a file of the bundle is not there, or an extra one is
│   ├── HashMismatchError     a file's bytes are not those of the manifest
│   ├── FormatError           the manifest cannot be read, or its format is not ours
│   ├── LibraryVersionError   made with a library or normaliser this code does not match
│   ├── UntrustedTypeError    the model file holds a type outside our list
│   ├── GoldenMismatchError   the loaded model answers a golden row differently
│   ├── NotCompilableError    compiled code does not know a part of the model; its library does
│   ├── SignatureError        not signed, not by a trusted key, or not these files
│   └── OversizedError        more or larger files than a release of ours has
├── DocumentError
│   ├── EmptyDocumentError    there is nothing in it
│   ├── UnsupportedTypeError  neither PDF nor DOCX nor text, or two types at once
│   ├── EncryptedError        it opens with a password
│   ├── CorruptError          damaged, cut off, or built in a way no editor builds
│   ├── TooLargeError         more bytes, unpacked bytes or memory than the limit
│   ├── TooManyPagesError     more pages than the limit
│   ├── TimedOutError         it took longer than the limit
│   ├── NoTextError           pictures of text, or text that nobody can see
│   └── BusyError             every reader is occupied: the only one worth a retry as it is
└── HubError
    ├── UnknownRevisionError  no such repository, version, branch or commit
    ├── VersionExistsError    a version tag would be overwritten
    ├── ConflictError         somebody moved the branch first
    ├── HubUnavailableError   out of reach, overloaded, or broke off: the one worth a retry as it is
    │   └── LockedError       another process writes there and has not come to an end
    ├── HubAccessError        the token is missing, refused, or may not do this
    └── LicenceError          a public repository would pass on what a licence forbids
"""


class CareerlensError(Exception):
    """Base of every error a person can act on."""


class ParamsError(CareerlensError):
    """params.yaml is missing, malformed or has an unknown key."""


class TaxonomyError(CareerlensError):
    """The skill table cannot be read, or contradicts itself."""


class PostingsError(CareerlensError):
    """A file of postings is not what :func:`models.postings.dump_postings` writes."""


class NoPostingsError(CareerlensError):
    """There is nothing to build an index of."""


class OverrideError(CareerlensError):
    """A refusal is to be overridden without saying why."""


class BundleError(CareerlensError):
    """A bundle cannot be trusted or loaded."""


class MissingFileError(BundleError):
    """A file named in the manifest is absent, or a file it does not name is present."""


class HashMismatchError(BundleError):
    """A file's sha256 differs from the manifest's."""


class FormatError(BundleError):
    """The manifest is unreadable, or of another format version or kind."""


class LibraryVersionError(BundleError):
    """The bundle was made with an incompatible library or normaliser version."""


class UntrustedTypeError(BundleError):
    """The model file contains a type outside the trust list."""


class GoldenMismatchError(BundleError):
    """A golden input does not give its recorded output."""


class NotCompilableError(BundleError):
    """A model has a part that compiled code does not know; its own libraries do."""


class SignatureError(BundleError):
    """The bundle is unsigned or wrongly signed, or a key cannot be used."""


class OversizedError(BundleError):
    """A release has more or larger files than ours have; they are left where they are."""


class DocumentError(CareerlensError):
    """An uploaded document cannot be turned into text."""


class EmptyDocumentError(DocumentError):
    """The document has no bytes, or nothing but white space."""


class UnsupportedTypeError(DocumentError):
    """The content is not a PDF, a DOCX or text, or claims to be several of them."""


class EncryptedError(DocumentError):
    """The document is protected by a password."""


class CorruptError(DocumentError):
    """The document is damaged, cut off, or holds what no editor writes."""


class TooLargeError(DocumentError):
    """The document needs more bytes, unpacked bytes or memory than the limit."""


class TooManyPagesError(DocumentError):
    """The document has more pages than the limit."""


class TimedOutError(DocumentError):
    """The document was not read within the time limit."""


class NoTextError(DocumentError):
    """The document shows no text: it is a scan, or all its text is invisible."""


class BusyError(DocumentError):
    """Every reader was occupied for as long as a request may wait."""


class HubError(CareerlensError):
    """A hub operation failed."""


class UnknownRevisionError(HubError):
    """The repository, version, branch or commit does not exist."""


class VersionExistsError(HubError):
    """The version tag already points at other bytes."""


class ConflictError(HubError):
    """The branch moved since it was read."""


class HubUnavailableError(HubError):
    """The hub cannot be reached, is overloaded, or broke off; the same may work later.

    Attributes
    ----------
    retry_after : float or None
        The seconds that the hub asks to wait, if it does.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LockedError(HubUnavailableError):
    """Another process writes to a folder, and has not come to an end; the same may work later."""


class HubAccessError(HubError):
    """The hub refuses the token, or what the token may not do."""


class LicenceError(HubError):
    """A licence of the training data forbids what would become public."""
