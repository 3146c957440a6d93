"""What a Hugging Face Space runs: the page, with a service behind it."""

from serving.ui.space import main

main()
