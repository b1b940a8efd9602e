"""Plain ``tf_keras`` functional models, every layer named."""
