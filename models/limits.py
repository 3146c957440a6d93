"""How long a text may be and how much is recommended: by the service, and by batches alike."""

#: Most characters (code points) of a message, unless the operator of the service chose otherwise.
MESSAGE_CHARS = 10_000

#: Most characters of a resume and of any other document.
DOCUMENT_CHARS = 200_000

#: Jobs and similar roles recommended, unless a request says otherwise.
TOP_JOBS = 10
TOP_ROLES = 5
