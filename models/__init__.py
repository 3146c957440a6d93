"""What is learnt and how it predicts: the kernel that pipelines and serving share."""
