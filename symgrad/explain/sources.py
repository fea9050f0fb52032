"""The literature that the tables cite, by first author and year."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

SOURCES: Mapping[str, str] = {
    "ba2016": "J. L. Ba, J. R. Kiros, G. E. Hinton. Layer normalization. arXiv:1607.06450, 2016.",
    "bishop2006": "C. M. Bishop. Pattern Recognition and Machine Learning. Springer, 2006.",
    "boyd2004": "S. Boyd, L. Vandenberghe. Convex Optimization. Cambridge University Press, 2004.",
    "clevert2016": "D.-A. Clevert, T. Unterthiner, S. Hochreiter. Fast and accurate deep network learning by exponential linear"
    " units (ELUs). ICLR, 2016.",
    "giles2008": "M. B. Giles. Collected matrix derivative results for forward and reverse mode algorithmic differentiation."
    " Advances in Automatic Differentiation, Springer, 2008, 35–44.",
    "hendrycks2016": "D. Hendrycks, K. Gimpel. Gaussian error linear units (GELUs). arXiv:1606.08415, 2016.",
    "huber1964": "P. J. Huber. Robust estimation of a location parameter. Annals of Mathematical Statistics 35, 1964, 73–101.",
    "ioffe2015": "S. Ioffe, C. Szegedy. Batch normalization: Accelerating deep network training by reducing internal covariate"
    " shift. ICML, 2015.",
    "klambauer2017": "G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter. Self-normalizing neural networks. NIPS, 2017.",
    "lin2017": "T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár. Focal loss for dense object detection. ICCV, 2017.",
    "maas2013": "A. L. Maas, A. Y. Hannun, A. Y. Ng. Rectifier nonlinearities improve neural network acoustic models. ICML"
    " Workshop on Deep Learning for Audio, Speech and Language Processing, 2013.",
    "misra2020": "D. Misra. Mish: A self regularized non-monotonic activation function. BMVC, 2020.",
    "murray2016": "I. Murray. Differentiation of the Cholesky decomposition. arXiv:1602.07527, 2016.",
    "petersen2012": "K. B. Petersen, M. S. Pedersen. The Matrix Cookbook. Technical University of Denmark, 2012.",
    "schroff2015": "F. Schroff, D. Kalenichenko, J. Philbin. FaceNet: A unified embedding for face recognition and clustering."
    " CVPR, 2015.",
    "srivastava2014": "N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov. Dropout: A simple way to"
    " prevent neural networks from overfitting. Journal of Machine Learning Research 15, 2014, 1929–1958.",
    "vaswani2017": "A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, Ł. Kaiser, I. Polosukhin. Attention"
    " is all you need. NIPS, 2017.",
    "zou2005": "H. Zou, T. Hastie. Regularization and variable selection via the elastic net. Journal of the Royal Statistical"
    " Society B 67, 2005, 301–320.",
}
# "Boyd & Vandenberghe 2004, §3.1.5" of an entry, "[ioffe2015]" of a docstring.
CITED = re.compile(r"([A-Z][\w-]+)(?: & [A-Z][\w-]+| et al\.)? (\d{4})|\[([a-z]+)(\d{4})[^\]]*\]")


def keys_in(text: str) -> Iterator[str]:
    """The keys of what a text cites.

    >>> list(keys_in("Boyd & Vandenberghe 2004, §3.1.5")), list(keys_in("γ (x - μ)/√(v + ε) + β. [ioffe2015]"))
    (['boyd2004'], ['ioffe2015'])
    """
    for found in CITED.finditer(text):
        name, year, short, short_year = found.groups()
        yield f"{(name or short).lower()}{year or short_year}"
