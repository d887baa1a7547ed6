"""The demo model's making: renderings with facts, captions, network, objective, export, evaluation."""
