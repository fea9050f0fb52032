"""word2vec with negative samples: a word's vector points towards its neighbour, and away from words drawn at random.

The loss is the negative logarithm of σ(a), the probability that the neighbour is one, and of σ(-s) for each word drawn:
-log σ(a) = log(1 + exp(-a)).

zh: 负采样的 word2vec：使中心词的向量靠近相邻的词，远离随机抽取的词。

损失是相邻词为真的概率 σ(a) 与各随机词为假的概率 σ(-s) 的负对数之和，其中 -log σ(a) = log(1 + exp(-a))。
"""

import symgrad as sg

d, k = sg.dims("d k")
v = sg.parameter("v", d, about=sg.Text(en="the word in the centre", zh="中心词的向量"))
u = sg.parameter("u", d, about=sg.Text(en="its neighbour", zh="相邻词的向量"))
N = sg.parameter(
    "N", k, d, about=sg.Text(en="k words drawn at random, one per row", zh="随机抽取的 k 个词的向量，每行一个")
)

a = u @ v
s = N @ v
loss = sg.log(1 + sg.exp(-a)) + sg.sum(sg.log(1 + sg.exp(s)))
